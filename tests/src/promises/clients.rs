//! Clients after a restart.

use super::sessions::unexpected;
use super::{Answer, Word};
use crate::client::Client;
use crate::load::{Extent, Worker};

impl Worker {
    /// Clients prove themselves by every secret that they were given, and removed ones by none.
    ///
    /// # Errors
    /// What was promised and does not hold.
    pub(crate) fn check_clients(&mut self, client: Client, extent: Extent) -> Result<(), String> {
        for number in extent.chosen(&self.promises.clients, |client| client.touched, &mut self.dice) {
            let registered = &self.promises.clients[number];
            let (id, secrets, word) = (registered.id.clone(), registered.secrets.clone(), registered.word);
            // A secret that nobody was told may be the newest; then the older of two holds no longer.
            let asked = if registered.in_doubt { secrets.len().saturating_sub(1) } else { 0 };
            let mut proved = 0;
            for secret in secrets.iter().skip(asked) {
                let form = [("grant_type", "client_credentials"), ("audience", "api")];
                let answer = Answer::to(&client.form("/oauth/token", &form).basic((&id, secret)));
                match (&answer, word) {
                    (Answer::Done(_), Word::Stands | Word::Doubtful) => proved += 1,
                    (Answer::Refused(reply), Word::Gone | Word::Doubtful) if reply.status == 401 => {}
                    _ => return Err(unexpected(&format!("client {id}, {word:?}"), &answer)),
                }
            }
            let registered = &mut self.promises.clients[number];
            if word == Word::Doubtful {
                registered.word = if proved > 0 { Word::Stands } else { Word::Gone };
            }
            registered.secrets.drain(..asked);
            // Its next secret takes the place of whichever is the newest now.
            registered.another |= registered.in_doubt;
            (registered.touched, registered.in_doubt) = (false, false);
        }
        Ok(())
    }
}
