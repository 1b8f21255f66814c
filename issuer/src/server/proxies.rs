//! Which machines are believed when they say for whom they speak.

use ipnet::IpNet;
use std::net::IpAddr;

/// The addresses of trusted proxies; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Returns the proxies that these addresses and networks name, for example `10.0.0.0/8` and `::1`.
    ///
    /// # Errors
    /// The first text that is neither.
    pub fn parse(texts: &[String]) -> Result<Self, String> {
        let parsed = texts.iter().map(|text| {
            let address = text.parse::<IpAddr>().map(IpNet::from);
            text.parse().or(address).map_err(|_| text.clone())
        });
        parsed.collect::<Result<_, _>>().map(Self)
    }

    /// True when `address` is one of them.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_trusted_and_nobody_else() {
        let proxies = ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1"].map(str::to_owned);
        let proxies = Proxies::parse(&proxies).expect("valid");
        let trusts = |address: &str| proxies.trusts(address.parse().expect("an address"));
        for address in ["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "2001:db8:1::1", "::1"] {
            assert!(trusts(address), "{address}");
        }
        for address in ["11.0.0.1", "192.0.2.8", "2001:db9::1", "::2", "127.0.0.1"] {
            assert!(!trusts(address), "{address}");
        }
        assert!(!Proxies::default().trusts("127.0.0.1".parse().expect("an address")));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "*", "localhost", "10.0.0.0/33", "10.0.0", "10.0.0.1:80", "10.0.0.0/-1"] {
            assert_eq!(Proxies::parse(&[text.to_owned()]), Err(text.to_owned()));
        }
    }
}
