//! Well-formed messages in every form the grammar allows: folded, compact, spaced, quoted,
//! listed, with names, IPv4 and IPv6 (RFC 3261 §7.3, §25.1).
//!
//! Always holds: the same generator makes the same messages, and each is well-formed.
//!
//! Not here: what is made of them (`oracle.rs`).

use carillon::base::prng::Prng;

const METHODS: [&str; 8] =
    ["INVITE", "BYE", "OPTIONS", "REGISTER", "NOTIFY", "REFER", "UPDATE", "x-NEW.1"];
const HOSTS: [&str; 6] =
    ["192.0.2.1", "a.example", "A-b.Example.", "[2001:db8::9]", "[::ffff:192.0.2.1]", "localhost"];
const USERS: [&str; 7] = ["", "ann@", "+49-22@", "a%40b@", "a;x=1@", "ann:pa$$@", "a/b?c&d@"];
const URI_PARAMS: [&str; 5] = ["", ";lr", ";transport=udp", ";user=phone;x", ";a=%41;method=BYE"];
const NAMES: [&str; 7] =
    ["", "Ann ", "Ann B. C ", "\"Ann\" ", "\"\" ", "\"a \\\" b, <c>; \\\\\"", "\"J\u{fc}rgen\" "];
const PARAMS: [&str; 6] =
    ["", ";x", ";x=1", ";x=\"a;b,c\\\"d\"", " ; x = [::1]", ";expires=5;q=0.7"];
const CALL_IDS: [&str; 4] =
    ["a84b4c76e66710@a.example", "1", "-.!%*_+`'~()<>:\\\"/[]?{}", "i<\"@[2001:db8::9]"];
const OTHERS: [(&str, &str); 10] = [
    ("Subject", "one, \"two\"; <three>: four"),
    ("s", ""),
    ("Supported", ""),
    ("k", "100rel,\ttimer , x"),
    ("Allow", "INVITE, ACK,BYE"),
    ("Warning", "307 a.example \"Session parameter 'foo' not understood\""),
    ("Date", "Sat, 13 Nov 2010 23:29:00 GMT"),
    ("X-Odd_.!%*+`'~", ":;,\"<\u{20ac}"),
    ("Record-Route", "<sip:p1.example;lr>, \"x, y\" <sips:[::1]:5061;lr>;a"),
    ("Authorization", "Digest username=\"a\\\"b\", realm=\"c, d\", nonce=\"e\""),
];

/// Draws one part after the other.
pub(crate) struct Generator<'a>(pub(crate) &'a mut Prng);

impl Generator<'_> {
    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.0.below(all.len() as u64) as usize]
    }

    /// One of two, the first three times as often.
    fn mostly<T: Copy>(&mut self, usual: T, odd: T) -> T {
        self.pick(&[usual, usual, usual, odd])
    }

    /// One of two, the second once in eighty times.
    fn rarely<T: Copy>(&mut self, usual: T, odd: T) -> T {
        if self.0.below(80) == 0 { odd } else { usual }
    }

    /// One well-formed message.
    pub(crate) fn message(&mut self) -> Vec<u8> {
        let method = self.pick(&METHODS);
        let start = if self.0.below(3) == 0 {
            let status = self.pick(&["100 Trying", "200 ", "486 Busy, \"here\"", "699 \u{20ac}"]);
            format!("SIP/2.0 {status}\r\n")
        } else {
            format!("{method} {} SIP/2.0\r\n", self.uri())
        };
        let mut lines = vec![
            self.address("From", "f"),
            self.address("To", "t"),
            {
                let id = self.pick(&CALL_IDS);
                self.line("Call-ID", "i", id)
            },
            {
                let cseq = self.cseq(method);
                self.line("CSeq", "CSEQ", &cseq)
            },
        ];
        for _ in 0..=self.0.below(2) {
            let via = self.via();
            lines.push(self.line("Via", "v", &via));
        }
        let hops = self.pick(&["70", "0", "255", "069"]);
        lines.push(self.line("Max-Forwards", "max-forwards", hops));
        for _ in 0..self.0.below(4) {
            let (name, value) = self.pick(&OTHERS);
            lines.push(self.line(name, name, value));
        }
        if self.0.below(2) == 0 {
            let contacts = [self.name_addr(), self.name_addr()].join(", ");
            lines.push(self.line("Contact", "m", &contacts));
        }
        self.finish(start, lines)
    }

    /// Puts the lines in any order and the body behind them.
    fn finish(&mut self, start: String, mut lines: Vec<String>) -> Vec<u8> {
        let body = self.pick(&["", "v=0\r\n", "\r\n\r\n", "\0\n"]);
        if self.0.below(5) > 0 {
            lines.push(self.line("Content-Length", "l", &body.len().to_string()));
        }
        let mut head = start;
        while !lines.is_empty() {
            let nth = self.0.below(lines.len() as u64) as usize;
            head.push_str(&lines.swap_remove(nth));
        }
        (head + "\r\n" + body).into_bytes()
    }

    fn line(&mut self, name: &str, compact: &str, value: &str) -> String {
        let name = self.mostly(name, compact);
        let name = if self.0.below(8) == 0 { name.to_uppercase() } else { name.to_owned() };
        let colon = self.pick(&[": ", ": ", ": ", ": ", ":", " : ", ":  ", "\t:\t", ":\r\n "]);
        let end = self.mostly("\r\n", " \r\n");
        format!("{name}{colon}{value}{end}")
    }

    fn uri(&mut self) -> String {
        if self.0.below(8) == 0 {
            return self.pick(&["tel:+15551234;phone-context=x", "urn:service:sos"]).to_owned();
        }
        let scheme = self.pick(&["sip:", "sip:", "sip:", "sips:", "SIP:"]);
        let port = self.pick(&["", "", ":5060", ":65535"]);
        let (user, host) = (self.pick(&USERS), self.pick(&HOSTS));
        format!("{scheme}{user}{host}{port}{}", self.pick(&URI_PARAMS))
    }

    fn name_addr(&mut self) -> String {
        let name = self.pick(&NAMES);
        format!("{name}<{}>{}", self.uri(), self.pick(&PARAMS))
    }

    fn address(&mut self, name: &str, compact: &str) -> String {
        let tag = self.pick(&["", ";tag=1928", ";TAG=a.b", " ;\ttag = x", ";tag=1;y"]);
        let bare = self.pick(&["sip:ann@a.example", "sip:[::1]:5060", "tel:+1555"]);
        let address = if self.0.below(4) == 0 { bare.to_owned() } else { self.name_addr() };
        self.line(name, compact, &format!("{address}{tag}"))
    }

    fn cseq(&mut self, method: &str) -> String {
        let number = self.pick(&["1", "314159", "2147483647", "0", "0000009"]);
        format!("{number}{}{method}", self.mostly(" ", "\t  "))
    }

    fn via(&mut self) -> String {
        let hops: Vec<String> = (0..=self.0.below(2)).map(|_| self.hop()).collect();
        hops.join(self.pick(&[", ", ",", " ,\r\n "]))
    }

    fn hop(&mut self) -> String {
        let protocol = self.pick(&["SIP/2.0/", "SIP/2.0/", "sip/2.0/", "SIP / 2.0 / "]);
        let transport = self.pick(&["UDP", "TCP", "TLS-SCTP", "udp"]);
        let space = self.mostly(" ", "  ");
        let port = self.pick(&["", ":5060", ":1"]);
        // Where others give up (`conformance.md`).
        let odd_port = self.pick(&[" : 5070", ":005060"]);
        let (host, port) = (self.pick(&HOSTS), self.rarely(port, odd_port));
        let branch = self.pick(&[";branch=z9hG4bKa1", ";branch=old", ";Branch=z9hG4bK.x-_~"]);
        let more =
            self.pick(&["", ";rport", ";received=192.0.2.7;rport=9", " ; ttl = 16", ";x=\"a,b\""]);
        format!("{protocol}{transport}{space}{host}{port}{branch}{more}")
    }
}
