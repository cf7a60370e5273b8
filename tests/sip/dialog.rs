//! Dialogs: their way, their numbers, what they refuse, how they begin, fork, move and end.

use carillon::sip::Message;
use carillon::sip::Method;
use carillon::sip::Name;
use carillon::sip::NameAddr;
use carillon::sip::RequestBuilder;
use carillon::sip::ResponseBuilder;
use carillon::sip::Transport;
use carillon::sip::Uri;
use carillon::sip::dialog::CSEQ_BLOCK;
use carillon::sip::dialog::Dialog;
use carillon::sip::dialog::Heard;
use carillon::sip::dialog::Reject;
use carillon::sip::dialog::forks::Forked;
use carillon::sip::dialog::forks::Forks;
use carillon::sip::dialog::glare;
use carillon::sip::dialog::id::DialogId;
use carillon::sip::dialog::offer_answer::Collision;
use carillon::sip::dialog::route_set::RouteSet;
use carillon::sip::dialog::state::State;

use crate::letters::Letter;
use crate::letters::SDP;
use crate::letters::address;
use crate::letters::flow;
use crate::letters::message;
use crate::letters::ours;

fn uri(text: &str) -> Uri {
    text.parse().expect("a URI")
}

/// The dialog of an INVITE we received, answered 200 and acknowledged.
fn answered() -> Dialog {
    let invite = Letter {
        extra: "Record-Route: <sip:p1@192.0.2.20;lr>, <sip:p2@192.0.2.21;lr>\r\n\
                Contact: <sip:ann@192.0.2.9:5070>\r\n",
        body: SDP,
        ..Letter::INVITE
    }
    .build();
    let contact = uri("sip:acd@192.0.2.1:5060");
    let way = flow(Transport::Udp);
    let mut dialog = Dialog::from_invite_received(&invite, "us", &contact, way).expect("a dialog");
    dialog.on_answered(&ok(&invite, SDP));
    let ack = Letter { method: "ACK", to_tag: "us", extra: "", ..Letter::INVITE }.build();
    dialog.on_request(&ack).expect("the ACK fits");
    assert_eq!(dialog.state, State::Confirmed);
    dialog
}

fn ok(request: &Message, body: &str) -> Message {
    let ok =
        ResponseBuilder::to(request, 200).to_tag("us").header(Name::Contact, "<sip:acd@192.0.2.1>");
    match body {
        "" => ok.build(),
        body => ok.body("application/sdp", body.as_bytes().to_vec()).build(),
    }
}

/// A response to our INVITE.
fn theirs(invite: &Message, status: u16, tag: &str, extra: &[(Name, &str)]) -> ResponseBuilder {
    let contact = format!("<sip:{tag}@192.0.2.9:5070>");
    let response = ResponseBuilder::to(invite, status).to_tag(tag).header(Name::Contact, contact);
    extra.iter().fold(response, |response, (name, value)| response.header(*name, value))
}

fn our_invite(body: &str) -> Message {
    let invite = RequestBuilder::new(Method::Invite, &uri("sip:bob@192.0.2.9"))
        .copy(Name::From, &ours("INVITE", ""))
        .copy(Name::To, &ours("INVITE", ""))
        .copy(Name::CallId, &ours("INVITE", ""))
        .copy(Name::CSeq, &ours("INVITE", ""))
        .copy(Name::Contact, &ours("INVITE", ""));
    match body {
        "" => invite.build(),
        body => invite.body("application/sdp", body.as_bytes().to_vec()).build(),
    }
}

fn within(method: &str, cseq: u32, body: &str) -> Message {
    let extra = "Contact: <sip:ann@192.0.2.99:5070>\r\n";
    Letter { method, cseq, to_tag: "us", extra, body, branch: "z9hG4bK-9" }.build()
}

#[test]
fn a_request_of_ours_takes_the_recorded_way() {
    let mut dialog = answered();
    let bye = dialog.request(Method::Bye).build();
    assert_eq!(bye.request_uri_text(), "sip:ann@192.0.2.9:5070");
    let routes: Vec<String> =
        bye.routes().expect("routes").iter().map(ToString::to_string).collect();
    assert_eq!(routes, ["<sip:p1@192.0.2.20;lr>", "<sip:p2@192.0.2.21;lr>"]);
    assert_eq!(bye.header(Name::From).as_deref(), Some("<sip:sales@192.0.2.1>;tag=us"));
    assert_eq!(bye.header(Name::To).as_deref(), Some("<sip:ann@192.0.2.9>;tag=ann"));
    assert_eq!(bye.header(Name::CSeq).as_deref(), Some("1 BYE"));
    assert_eq!(bye.header(Name::MaxForwards).as_deref(), Some("70"));
    assert!(!bye.has(Name::Contact));
    assert_eq!(dialog.itinerary().next_hop, uri("sip:p1@192.0.2.20;lr"));
    dialog.on_sent(&bye);
    assert_eq!(dialog.state, State::Ended);
    assert_eq!(dialog.on_request(&within("BYE", 2, "")), Err(Reject::NoDialog));
}

#[test]
fn a_strict_router_gets_the_request_uri() {
    let hops = ["<sip:strict@192.0.2.20?x=y>", "<sip:loose@192.0.2.21;lr>"];
    let hops = hops.map(|hop| hop.parse::<NameAddr>().expect("a hop")).to_vec();
    let way = RouteSet::of_hops(hops).towards(&uri("sip:ann@192.0.2.9"));
    assert_eq!(way.request_uri.to_string(), "sip:strict@192.0.2.20");
    assert_eq!(way.next_hop, way.request_uri);
    let routes: Vec<String> = way.routes.iter().map(ToString::to_string).collect();
    assert_eq!(routes, ["<sip:loose@192.0.2.21;lr>", "<sip:ann@192.0.2.9>"]);
}

#[test]
fn without_routes_a_request_goes_to_the_target() {
    let way = RouteSet::DIRECT.towards(&uri("sip:ann@192.0.2.9"));
    assert_eq!((way.routes.len(), way.request_uri), (0, way.next_hop));
}

#[test]
fn lower_numbers_are_refused_and_gaps_are_not() {
    let mut dialog = answered();
    assert_eq!(dialog.on_request(&within("INFO", 5, "")), Ok(()));
    assert_eq!(dialog.on_request(&within("INFO", 3, "")), Err(Reject::Stale));
    assert_eq!(dialog.on_request(&within("INFO", 900, "")), Ok(()));
    assert_eq!(Reject::Stale.status(), 500);
    assert!(!Reject::Stale.wants_retry_after());
}

#[test]
fn a_contact_within_the_dialog_moves_the_target() {
    let mut dialog = answered();
    dialog.on_request(&within("INFO", 2, "")).expect("fits");
    assert_eq!(dialog.remote_target, uri("sip:ann@192.0.2.9:5070"), "INFO refreshes nothing");
    dialog.on_request(&within("UPDATE", 3, "")).expect("fits");
    assert_eq!(dialog.remote_target, uri("sip:ann@192.0.2.99:5070"));
}

#[test]
fn a_record_route_within_the_dialog_changes_nothing() {
    let mut dialog = answered();
    let before = dialog.route_set.clone();
    let reinvite =
        within("INVITE", 2, SDP).with_header(Name::RecordRoute, "<sip:new@192.0.2.50;lr>");
    dialog.on_request(&reinvite).expect("fits");
    assert_eq!(dialog.route_set, before);
}

#[test]
fn a_bye_ends_it_and_what_follows_gets_481() {
    let mut dialog = answered();
    assert_eq!(dialog.on_request(&within("BYE", 2, "")), Ok(()));
    assert_eq!(dialog.state, State::Ended);
    assert_eq!(dialog.on_request(&within("INVITE", 3, SDP)), Err(Reject::NoDialog));
    assert_eq!(Reject::NoDialog.status(), 481);
}

#[test]
fn a_481_or_silence_to_a_request_of_ours_ends_it_and_a_491_does_not() {
    for (status, heard, state) in [
        (491, Heard::Failure, State::Confirmed),
        (481, Heard::Ended, State::Ended),
        (408, Heard::Ended, State::Ended),
    ] {
        let mut dialog = answered();
        let reinvite = dialog.request(Method::Invite).body("application/sdp", SDP.into()).build();
        dialog.on_sent(&reinvite);
        let response = ResponseBuilder::to(&reinvite, status).build();
        assert_eq!(dialog.on_response(&response), Ok(heard));
        assert_eq!(dialog.state, state);
    }
    let mut dialog = answered();
    dialog.on_timed_out(&Method::Update);
    assert_eq!(dialog.state, State::Ended);
}

#[test]
fn two_changes_at_once_get_491_or_500() {
    let mut dialog = answered();
    let reinvite = dialog.request(Method::Invite).body("application/sdp", SDP.into()).build();
    dialog.on_sent(&reinvite);
    let refused = dialog.on_request(&within("INVITE", 2, SDP));
    assert_eq!(refused, Err(Reject::Collision(Collision::Pending)));
    assert_eq!(refused.map_err(Reject::status), Err(491));

    let mut dialog = answered();
    dialog.on_request(&within("INVITE", 2, SDP)).expect("fits");
    let refused = dialog.on_request(&within("INVITE", 3, SDP)).expect_err("one at a time");
    assert_eq!((refused.status(), refused.wants_retry_after()), (500, true));
    dialog.on_answered(&ok(&within("INVITE", 2, SDP), SDP));
    dialog.on_request(&within("ACK", 2, "")).expect("fits");
    assert_eq!(dialog.on_request(&within("INVITE", 4, SDP)), Ok(()));
}

#[test]
fn an_answer_makes_a_dialog_with_the_routes_reversed() {
    let invite = our_invite(SDP);
    let recorded = "<sip:p1@192.0.2.20;lr>, <sip:p2@192.0.2.21;lr>";
    let ok = theirs(&invite, 200, "bob", &[(Name::RecordRoute, recorded)])
        .body("application/sdp", SDP.into())
        .build();
    let mut dialog = Dialog::from_response(&invite, &ok, flow(Transport::Udp)).expect("a dialog");
    assert_eq!(dialog.on_response(&ok), Ok(Heard::WantsAck { lacks_answer: false }));
    assert_eq!(dialog.state, State::Confirmed);
    let ack = dialog.ack(7).build();
    assert_eq!(ack.header(Name::CSeq).as_deref(), Some("7 ACK"));
    assert_eq!(ack.request_uri_text(), "sip:bob@192.0.2.9:5070");
    let first = ack.routes().expect("routes").remove(0).to_string();
    assert_eq!(first, "<sip:p2@192.0.2.21;lr>");
    let bye = dialog.request(Method::Bye).build();
    assert_eq!(bye.header(Name::CSeq).as_deref(), Some("8 BYE"));
}

#[test]
fn a_2xx_without_the_answer_is_noticed() {
    let invite = our_invite(SDP);
    let ok = theirs(&invite, 200, "bob", &[]).build();
    let mut dialog = Dialog::from_response(&invite, &ok, flow(Transport::Udp)).expect("a dialog");
    assert_eq!(dialog.on_response(&ok), Ok(Heard::WantsAck { lacks_answer: true }));
}

#[test]
fn a_late_offer_is_answered_in_the_ack() {
    let invite = our_invite("");
    let ok = theirs(&invite, 200, "bob", &[]).body("application/sdp", SDP.into()).build();
    let mut dialog = Dialog::from_response(&invite, &ok, flow(Transport::Udp)).expect("a dialog");
    assert_eq!(dialog.on_response(&ok), Ok(Heard::WantsAck { lacks_answer: false }));
    assert!(
        !dialog.offer_answer.may_send(carillon::sip::dialog::offer_answer::Carrier::Invite, true)
    );
    let ack = dialog.ack(7).body("application/sdp", SDP.into()).build();
    dialog.on_sent(&ack);
    assert!(
        dialog.offer_answer.may_send(carillon::sip::dialog::offer_answer::Carrier::Invite, true)
    );

    let mut callee = {
        let invite = Letter::INVITE.build();
        let contact = uri("sip:acd@192.0.2.1:5060");
        Dialog::from_invite_received(&invite, "us", &contact, flow(Transport::Udp))
            .expect("a dialog")
    };
    callee.on_answered(&self::ok(&Letter::INVITE.build(), SDP));
    let bare = Letter { method: "ACK", to_tag: "us", ..Letter::INVITE }.build();
    assert_eq!(callee.clone().on_request(&bare), Err(Reject::Collision(Collision::NoAnswer)));
    let full = Letter { method: "ACK", to_tag: "us", body: SDP, ..Letter::INVITE }.build();
    assert_eq!(callee.on_request(&full), Ok(()));
}

#[test]
fn forks_are_dialogs_of_their_own_and_the_first_2xx_wins() {
    let invite = our_invite(SDP);
    let way = flow(Transport::Udp);
    let mut forks = Forks::default();
    let trying = ResponseBuilder::to(&invite, 100).build();
    assert!(matches!(forks.on_response(&invite, &trying, way), Ok(Forked::NoDialog)));
    for tag in ["a", "b"] {
        let ringing = theirs(&invite, 180, tag, &[]).build();
        let Ok(Forked::Early(id, Heard::Progress)) = forks.on_response(&invite, &ringing, way)
        else {
            panic!("an early dialog");
        };
        assert_eq!(id.remote_tag, tag);
        assert_eq!(forks.early(&id).map(|dialog| dialog.state), Some(State::Early));
    }
    assert_eq!(forks.newest().map(|dialog| dialog.id.remote_tag.as_str()), Some("b"));
    let ok = |tag| theirs(&invite, 200, tag, &[]).body("application/sdp", SDP.into()).build();
    let Ok(Forked::Won(won, heard)) = forks.on_response(&invite, &ok("a"), way) else {
        panic!("the first 2xx wins");
    };
    assert_eq!((won.state, heard), (State::Confirmed, Heard::WantsAck { lacks_answer: false }));
    assert!(matches!(forks.on_response(&invite, &ok("a"), way), Ok(Forked::Repeated)));
    for tag in ["b", "c"] {
        let Ok(Forked::Extra(mut extra)) = forks.on_response(&invite, &ok(tag), way) else {
            panic!("another branch");
        };
        assert_eq!(
            extra.request(Method::Bye).build().to().map(|to| to.tag() == Some(tag)),
            Ok(true)
        );
    }
    let busy = theirs(&invite, 486, "d", &[]).build();
    assert!(matches!(forks.on_response(&invite, &busy, way), Ok(Forked::NoDialog)));
}

#[test]
fn both_directions_name_the_same_dialog() {
    let dialog = answered();
    assert_eq!(DialogId::of_request(&within("BYE", 2, "")), Ok(Some(dialog.id.clone())));
    assert_eq!(DialogId::of_request(&Letter::INVITE.build()), Ok(None));
    let mut dialog = dialog;
    let bye = dialog.request(Method::Bye).build();
    assert_eq!(DialogId::of_response(&ResponseBuilder::to(&bye, 200).build()), Ok(Some(dialog.id)));
}

#[test]
fn a_new_owner_begins_behind_the_reserved_numbers() {
    let mut dialog = answered();
    dialog.request(Method::Info);
    let stored = serde_json::to_vec(&dialog).expect("a record");
    dialog.request(Method::Info);
    let highest = dialog.local_cseq;
    let mut restored: Dialog = serde_json::from_slice(&stored).expect("the record");
    let moved = flow(Transport::Tcp);
    restored.take_over(uri("sip:acd@192.0.2.2"), moved);
    let reinvite = restored.request(Method::Invite).build();
    assert!(reinvite.cseq().expect("CSeq").number > highest);
    assert_eq!(reinvite.header(Name::Contact).as_deref(), Some("<sip:acd@192.0.2.2>"));
    assert_eq!(restored.flow, moved);
}

#[test]
fn numbers_are_reserved_in_blocks() {
    let mut dialog = answered();
    for _ in 0..CSEQ_BLOCK {
        dialog.request(Method::Info);
    }
    assert_eq!(dialog.local_cseq_reserved, dialog.local_cseq, "the block is used up");
    dialog.request(Method::Info);
    assert_eq!(dialog.local_cseq_reserved, dialog.local_cseq + CSEQ_BLOCK);
}

#[test]
fn the_record_is_small() {
    let mut dialog = answered();
    dialog.flow.peer = address("[2001:db8:1:2:3:4:5:6]:5061");
    let bytes = postcard::to_allocvec(&dialog).expect("a record");
    assert!(bytes.len() < 1_200, "{} bytes", bytes.len());
    assert_eq!(postcard::from_bytes::<Dialog>(&bytes).expect("the record"), dialog);
}

#[test]
fn a_loser_of_a_glare_waits_by_who_made_the_call_id() {
    for random in [0, 1, 190, 191, 12_345, u64::MAX] {
        let owner = glare::retry_after(true, random).0;
        let other = glare::retry_after(false, random).0;
        assert!((2_100..=4_000).contains(&owner) && owner.is_multiple_of(10), "{owner}");
        assert!((0..=2_000).contains(&other) && other.is_multiple_of(10), "{other}");
    }
    assert!(!answered().owns_call_id());
}

#[test]
fn an_ack_that_comes_again_disturbs_nothing() {
    let mut dialog = answered();
    let reinvite = dialog.request(Method::Invite).body("application/sdp", SDP.into()).build();
    dialog.on_sent(&reinvite);
    let before = dialog.offer_answer;
    assert_eq!(dialog.on_request(&within("ACK", 1, "")), Ok(()));
    assert!(dialog.is_confirmed_by(&within("ACK", 1, "")));
    assert!(!dialog.is_confirmed_by(&within("ACK", 9, "")));
    assert_eq!(dialog.on_request(&within("ACK", 9, "")), Err(Reject::Stale));
    assert_eq!(dialog.offer_answer, before);
}

#[test]
fn a_caller_of_rfc_2543_is_called_back_at_its_from() {
    let invite = |from: &str| {
        message(&format!(
            "INVITE sip:sales@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5070\r\n\
             From: {from}\r\nTo: <sip:sales@192.0.2.1>\r\nCall-ID: old@192.0.2.9\r\n\
             CSeq: 1 INVITE\r\n\r\n"
        ))
    };
    let (contact, way) = (uri("sip:acd@192.0.2.1:5060"), flow(Transport::Udp));
    let received = |from| Dialog::from_invite_received(&invite(from), "us", &contact, way);
    let old = received("<sip:ann@192.0.2.9>").expect("a dialog without a tag and a Contact");
    assert_eq!(old.remote_target, uri("sip:ann@192.0.2.9"));
    assert!(received("<sip:ann@192.0.2.9>;tag=new").is_err(), "RFC 3261 wants a Contact");
}
