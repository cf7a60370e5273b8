//! Session timers (RFC 4028): who refreshes, how often, and what is refused.

use carillon::base::time::Millis;
use carillon::sip::dialog::session_timer::Asked;
use carillon::sip::dialog::session_timer::Refresher;
use carillon::sip::dialog::session_timer::SessionTimer;
use carillon::sip::dialog::session_timer::TooSmall;
use carillon::sip::dialog::session_timer::Wanted;
use carillon::sip::dialog::session_timer::accept;
use carillon::sip::dialog::session_timer::after_too_small;
use carillon::sip::dialog::session_timer::answer;

use crate::letters::Letter;

const WANTED: Wanted = Wanted { interval_seconds: 1800, minimum_seconds: 90 };

/// `extra` header lines of a request, and our answer: interval, refresher, whether required.
fn answered(extra: &str) -> Result<String, TooSmall> {
    let extra = format!("Contact: <sip:ann@192.0.2.9>\r\n{extra}");
    let request = Letter { extra: &extra, ..Letter::INVITE }.build();
    let answer = answer(&Asked::of(&request).expect("readable"), &WANTED)?;
    let require = if answer.require { " required" } else { "" };
    Ok(format!("{}{require}", answer.timer.as_server()))
}

#[test]
fn the_server_answers_as_the_table_says() {
    let cases = [
        ("Supported: timer\r\nSession-Expires: 600\r\n", "600;refresher=uas"),
        (
            "Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n",
            "600;refresher=uac required",
        ),
        ("Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n", "600;refresher=uas"),
        ("Supported: timer\r\nx: 7200\r\n", "1800;refresher=uas"),
        ("Supported: timer\r\nSession-Expires: 7200\r\nMin-SE: 3600\r\n", "3600;refresher=uas"),
        ("Supported: timer\r\n", "1800;refresher=uas"),
        ("Session-Expires: 60\r\n", "90;refresher=uas"),
        ("", "1800;refresher=uas"),
    ];
    for (extra, expected) in cases {
        assert_eq!(answered(extra).as_deref(), Ok(expected), "{extra}");
    }
}

#[test]
fn an_interval_below_ours_is_refused() {
    let refused = answered("Supported: timer\r\nSession-Expires: 89\r\n");
    assert_eq!(refused, Err(TooSmall { minimum_seconds: 90 }));
}

#[test]
fn the_client_reads_who_refreshes() {
    let cases = [
        (Some("600;refresher=uac"), 600, Refresher::Us),
        (Some("600;refresher=uas"), 600, Refresher::Them),
        (Some("600"), 600, Refresher::Us),
        (None, 1800, Refresher::Us),
        (Some("5;refresher=uas"), 90, Refresher::Them),
    ];
    for (said, interval_seconds, refresher) in cases {
        let timer = accept(1800, said.map(|said| said.parse().expect("a header")));
        assert_eq!(timer, SessionTimer { interval_seconds, refresher }, "{said:?}");
    }
}

#[test]
fn a_422_raises_what_is_asked_for() {
    let raised = after_too_small(&WANTED, Some(3600));
    assert_eq!(raised, Wanted { interval_seconds: 3600, minimum_seconds: 3600 });
    let kept = after_too_small(&WANTED, Some(120));
    assert_eq!(kept, Wanted { interval_seconds: 1800, minimum_seconds: 120 });
    assert_eq!(after_too_small(&WANTED, None).interval_seconds, 3600);
}

#[test]
fn the_refresher_acts_at_half_and_the_other_shortly_before_the_end() {
    let timer = |refresher, interval_seconds| SessionTimer { interval_seconds, refresher };
    assert_eq!(timer(Refresher::Us, 1800).refresh_after(), Some(Millis(900_000)));
    assert_eq!(timer(Refresher::Them, 1800).refresh_after(), None);
    assert_eq!(timer(Refresher::Them, 1800).dead_after(), Millis(1_768_000));
    assert_eq!(timer(Refresher::Them, 90).dead_after(), Millis(60_000));
}

#[test]
fn roles_are_those_of_the_request_at_hand() {
    let timer = SessionTimer { interval_seconds: 600, refresher: Refresher::Us };
    assert_eq!(timer.as_client().to_string(), "600;refresher=uac");
    assert_eq!(timer.as_server().to_string(), "600;refresher=uas");
}
