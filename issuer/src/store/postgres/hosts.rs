//! Where the database may be: the hosts of the URL and the addresses of each, tried one after the other.
//!
//! Each is tried for its share of the time that is left, and the one that took the last connection comes first. So one that is
//! silent, before or after it has taken a connection, keeps nobody from the others, and is waited for once.

use super::fault::Fault;
use crate::env::Stopwatch;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::time::timeout;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// The port of a host that the URL gives none.
const PORT: u16 = 5432;

/// The hosts of a URL.
#[derive(Clone)]
pub(super) struct Hosts {
    each: Vec<Config>,
    last: Arc<Mutex<Place>>,
}

/// Which host, and which of its addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    host: usize,
    address: Option<IpAddr>,
}

impl Hosts {
    /// Parts what a URL says into what it says of each host.
    ///
    /// # Errors
    /// Why it cannot be done, in words.
    pub(super) fn of(all: &Config) -> Result<Self, String> {
        let (names, addresses, ports) = (all.get_hosts(), all.get_hostaddrs(), all.get_ports());
        let count = names.len().max(addresses.len());
        if count == 0 {
            return Err("names no host".to_owned());
        }
        if (!names.is_empty() && !addresses.is_empty() && names.len() != addresses.len())
            || (ports.len() > 1 && ports.len() != count)
        {
            return Err("does not name as many addresses or ports as hosts".to_owned());
        }
        let port = |place| ports.get(place).or(ports.first()).copied().unwrap_or(PORT);
        let one = |place| alone(all, names.get(place), addresses.get(place), port(place));
        Ok(Self { each: (0..count).map(one).collect(), last: Arc::default() })
    }

    /// Changes what goes for every host.
    pub(super) fn for_each(&mut self, change: impl FnMut(&mut Config)) {
        self.each.iter_mut().for_each(change);
    }

    /// Returns which hosts to try, in turn: the one that took the last connection first, then as the URL names them.
    pub(super) fn in_turn(&self) -> Vec<usize> {
        let last = self.last().host;
        let mut hosts: Vec<usize> = (0..self.each.len()).collect();
        hosts.sort_by_key(|host| *host != last);
        hosts
    }

    /// Returns the addresses of a host in turn, each with what connects to it.
    ///
    /// # Errors
    /// [`Fault::Lost`] when its name leads to none.
    pub(super) async fn addresses(&self, host: usize) -> Result<Vec<(Place, Config)>, Fault> {
        let Some(config) = self.each.get(host) else { return Ok(Vec::new()) };
        let (Some(Host::Tcp(name)), []) = (config.get_hosts().first(), config.get_hostaddrs()) else {
            return Ok(vec![(Place { host, address: None }, config.clone())]); // a socket in a folder, or an address
        };
        let port = config.get_ports().first().copied().unwrap_or(PORT);
        let found = lookup_host((name.as_str(), port)).await;
        let found = found.map_err(|error| Fault::Lost(format!("{name}: {error}")))?;
        let at = |ip| {
            let mut config = config.clone();
            config.hostaddr(ip); // the name stays what TLS is held against
            (Place { host, address: Some(ip) }, config)
        };
        let mut places: Vec<(Place, Config)> = found.map(|address| at(address.ip())).collect();
        if places.is_empty() {
            return Err(Fault::Lost(format!("{name} has no address")));
        }
        let last = self.last();
        places.sort_by_key(|(place, _)| *place != last);
        Ok(places)
    }

    /// Notes where a connection was taken.
    pub(super) fn took(&self, place: Place) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }

    fn last(&self) -> Place {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Time that several share: whoever takes less leaves the others more.
pub(super) struct Time {
    limit: Duration,
    watch: Stopwatch,
}

impl Time {
    /// Begins with so much.
    pub(super) fn of(limit: Duration) -> Self {
        Self { limit, watch: Stopwatch::start() }
    }

    /// Returns an equal share of what is left for so many.
    pub(super) fn share(&self, many: usize) -> Duration {
        let left = self.limit.saturating_sub(self.watch.elapsed());
        left.checked_div(u32::try_from(many).unwrap_or(u32::MAX)).unwrap_or(left)
    }
}

/// Does the work within so long.
///
/// # Errors
/// [`Fault::Lost`] when that is not enough; what the work says.
pub(super) async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let late = || Fault::Lost("the database did not take a connection in time".to_owned());
    timeout(limit, work).await.unwrap_or_else(|_| Err(late()))
}

/// What is said where every place has failed: a lost one may come back, so it goes before others that will not.
pub(super) fn together(faults: Vec<Fault>) -> Fault {
    let is_passing = |fault: &Fault| matches!(fault, Fault::Lost(_) | Fault::Conflict);
    if faults.len() > 1 && faults.iter().any(is_passing) {
        let mut said: Vec<String> = faults.into_iter().map(words).collect();
        said.dedup();
        return Fault::Lost(said.join("; "));
    }
    faults.into_iter().next_back().unwrap_or(Fault::Lost("there is no place to connect to".to_owned()))
}

fn words(fault: Fault) -> String {
    match fault {
        Fault::Lost(reason) => reason,
        fault @ (Fault::Conflict | Fault::Superseded | Fault::Final(_)) => fault.into_error().to_string(),
    }
}

/// Returns what goes for each host, at this one.
fn alone(all: &Config, name: Option<&Host>, address: Option<&IpAddr>, port: u16) -> Config {
    let mut one = Config::new();
    one.ssl_negotiation(all.get_ssl_negotiation()).channel_binding(all.get_channel_binding());
    one.keepalives(all.get_keepalives()).port(port);
    if let Some(user) = all.get_user() {
        one.user(user);
    }
    if let Some(name) = all.get_dbname() {
        one.dbname(name);
    }
    if let Some(options) = all.get_options() {
        one.options(options);
    }
    if let Some(interval) = all.get_keepalives_interval() {
        one.keepalives_interval(interval);
    }
    if let Some(retries) = all.get_keepalives_retries() {
        one.keepalives_retries(retries);
    }
    if let Some(Host::Tcp(name)) = name {
        one.host(name);
    }
    if let Some(Host::Unix(folder)) = name {
        one.host_path(folder);
    }
    if let Some(address) = address {
        one.hostaddr(*address);
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

    fn hosts(url: &str) -> Hosts {
        Hosts::of(&url.parse().unwrap()).unwrap()
    }

    #[test]
    fn one_host_is_what_the_url_says_of_it() {
        let url = "postgres://me@one:1/base?options=-c%20a%3Db&keepalives=0&keepalives_interval=3&keepalives_retries=4\
            &sslnegotiation=direct&channel_binding=disable&hostaddr=192.0.2.1";
        assert_eq!(hosts(url).each, [url.parse().unwrap()]);
        let each = hosts("postgres://me@one:1,two,[::1]:3/base").each;
        let alone = ["one:1", "two", "[::1]:3"].map(|host| format!("postgres://me@{host}/base").parse().unwrap());
        assert_eq!(each, alone);
        assert_eq!(hosts("host=/run/db user=me").each, ["host=/run/db user=me port=5432".parse().unwrap()]);
    }

    #[test]
    fn a_url_without_a_host_or_with_too_few_ports_is_refused() {
        for url in ["user=me", "host=a,b,c port=1,2", "host=a,b hostaddr=192.0.2.1"] {
            assert!(Hosts::of(&url.parse().unwrap()).is_err(), "{url}");
        }
    }

    #[tokio::test]
    async fn the_place_that_took_the_last_connection_is_the_first_to_be_asked() {
        let hosts = hosts("postgres://me@192.0.2.1,192.0.2.2,192.0.2.3/base");
        assert_eq!(hosts.in_turn(), [0, 1, 2]);
        let (place, _) = hosts.addresses(2).await.unwrap().remove(0);
        hosts.clone().took(place);
        assert_eq!(hosts.in_turn(), [2, 0, 1]);
    }

    #[test]
    fn a_place_that_may_come_back_goes_before_one_that_will_not() {
        let gone = || Fault::Lost("gone".to_owned());
        let wrong = || Fault::Final(StoreError::Unusable { detail: "wrong".into() });
        assert_eq!(together(vec![wrong(), wrong()]), wrong());
        assert_eq!(together(vec![gone(), gone()]), gone());
        let both = Fault::Lost("gone; the store cannot be opened: wrong".to_owned());
        assert_eq!(together(vec![gone(), wrong()]), both);
    }
}
