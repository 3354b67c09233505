//! Sending by Microsoft Graph fails at each moment of a request.

use mailhatch::model::{DeliveryState, MailboxStatus, WayOut};
use mailhatch::problem::Disposition;
use mailhatch::store;
use mailhatch_simulator::faults::{Action, Point};

use super::field::Field;
use crate::interop::proxy::{End, Plan, Way};

const QUEUED: DeliveryState = DeliveryState::Queued;
const UNCERTAIN: DeliveryState = DeliveryState::Uncertain;
const UNKNOWN: &str = "graph_outcome_unknown";

/// A mailbox that sends by Graph.
fn by_graph() -> Field {
    let field = Field::new();
    field
        .stage
        .services
        .store
        .write(|tx| store::mailboxes::update_way_out(tx, field.id, WayOut::Graph, false))
        .unwrap();
    field
}

fn http(status: u16, headers: &[(&str, &str)], code: &str) -> Action {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let body = if code.is_empty() {
        String::new()
    } else {
        format!("{{\"error\": {{\"code\": \"{code}\", \"message\": \"{code}\"}}}}")
    };
    Action::Http(status, headers.collect(), body)
}

/// Graph answers so once; the reply waits and leaves once.
fn refused(action: Action, code: &str, words: &str) {
    let field = by_graph();
    let queued = field.asked();
    field.once(Point::Graph, action);
    let problem = field.tries(queued, QUEUED, code, words);
    assert!(problem.is_transient(), "{problem}");
    field.all_leave();
    field.everything_once();
}

/// It is not known whether Graph took it; `had_left` says whether it had.
fn unknown(field: &Field, point: Point, action: Action, had_left: bool) {
    let queued = field.asked();
    field.once(point, action);
    field.tries(queued, UNCERTAIN, UNKNOWN, "Sent Items");
    assert_eq!(field.left().len(), usize::from(had_left));
    field.all_leave();
    field.everything_once();
}

#[test]
fn graph_that_refuses_connections_is_tried_again() {
    let field = by_graph();
    let queued = field.asked();
    field.graph.set(Plan::REFUSE);
    field.tries(
        queued,
        QUEUED,
        "http_connect_refused",
        "refuses connections",
    );
    field.all_leave();
    field.everything_once();
}

#[test]
fn graph_that_accepts_and_never_answers_leaves_the_outcome_open() {
    let field = by_graph().hurried();
    let queued = field.asked();
    field.graph.set(Plan::SILENCE);
    field.tries(queued, UNCERTAIN, UNKNOWN, "Sent Items");
    field.all_leave();
    field.everything_once();
}

#[test]
fn a_request_to_graph_cut_in_the_middle_of_the_body_leaves_once() {
    let field = by_graph();
    field.deliver(1);
    field.stage.receives(field.id, 1);
    let queued = field.answer_large(2_000_000);
    field
        .graph
        .set(Plan::cut(Way::ToServer, 300_000, End::Reset));
    field.tries(queued, UNCERTAIN, UNKNOWN, "Sent Items");
    assert_eq!(field.left(), Vec::<String>::new());
    field.all_leave();
    field.everything_once();
}

#[test]
fn a_hang_up_by_graph_before_it_took_the_message_leaves_once() {
    unknown(&by_graph(), Point::Graph, Action::Close, false);
}

#[test]
fn a_hang_up_by_graph_after_it_took_the_message_is_settled_through_sent_items() {
    unknown(&by_graph(), Point::GraphAccepted, Action::Close, true);
}

#[test]
fn silence_of_graph_after_it_took_the_message_is_settled_through_sent_items() {
    let field = by_graph().hurried();
    unknown(&field, Point::GraphAccepted, Action::Hang, true);
}

#[test]
fn a_gateway_that_gave_up_on_graph_leaves_the_outcome_open() {
    let gateway = http(504, &[], "UnknownError");
    unknown(&by_graph(), Point::GraphAccepted, gateway, true);
}

#[test]
fn an_error_page_in_place_of_graphs_answer_leaves_the_outcome_open() {
    unknown(&by_graph(), Point::Graph, http(500, &[], ""), false);
}

#[test]
fn graphs_429_is_waited_out_for_as_long_as_it_says() {
    let field = by_graph();
    let queued = field.asked();
    let slow_down = http(429, &[("Retry-After", "120")], "TooManyRequests");
    field.once(Point::Graph, slow_down);
    let problem = field.tries(queued, QUEUED, "graph_throttled", "asks for a pause");
    assert_eq!(problem.wait_seconds(), 120);
    field.stage.clock.advance(119);
    let _ = field.send_step();
    assert_eq!(field.left(), Vec::<String>::new(), "not before its time");
    field.all_leave();
    field.everything_once();
}

#[test]
fn graphs_503_is_tried_again() {
    let later = http(503, &[("Retry-After", "30")], "ServiceUnavailable");
    refused(later, "graph_unavailable", "not available at the moment");
}

#[test]
fn a_token_that_graph_refuses_in_between_is_renewed_without_a_word() {
    let field = by_graph();
    let queued = field.asked();
    field.once(Point::Graph, http(401, &[], "InvalidAuthenticationToken"));
    let _ = field.send_step();
    let delivery = field.delivery(queued);
    assert_eq!(
        (delivery.state, delivery.attempts),
        (DeliveryState::Sent, 1)
    );
    field.everything_once();
}

#[test]
fn a_token_that_graph_never_takes_holds_the_queue_and_says_who_must_act() {
    let field = by_graph();
    let queued = field.asked();
    let faults = field.stage.simulator.faults();
    faults.always(Point::Graph, http(401, &[], "InvalidAuthenticationToken"));
    let problem = field.tries(queued, QUEUED, "graph_token_refused", "reconnect");
    assert_eq!(problem.disposition, Disposition::NeedsSignIn);
    let mailbox = field.stage.mailbox(field.id);
    assert!(mailbox.send_problem.is_some());
    assert_eq!(mailbox.status, MailboxStatus::Active, "it still receives");
    faults.clear();
    field.all_leave();
    field.everything_once();
}

#[test]
fn what_is_too_large_for_graph_fails_and_names_the_other_way() {
    let field = by_graph();
    let queued = field.asked();
    field.once(Point::Graph, http(413, &[], "RequestEntityTooLarge"));
    let failed = DeliveryState::Failed;
    field.tries(queued, failed, "graph_request_too_big", "SMTP");
    field
        .stage
        .services
        .store
        .write(|tx| store::mailboxes::update_way_out(tx, field.id, WayOut::Smtp, false))
        .unwrap();
    let (services, agent) = (&field.stage.services, &field.stage.admin.agent);
    let work = &services.work;
    work.retry_delivery(services, queued.delivery_id, agent)
        .unwrap();
    field.all_leave();
    field.everything_once();
}

#[test]
fn a_right_that_is_missing_pauses_the_mailbox_and_says_who_grants_it() {
    let field = by_graph();
    let queued = field.asked();
    field.once(Point::Graph, http(403, &[], "ErrorAccessDenied"));
    let failed = DeliveryState::Failed;
    field.tries(queued, failed, "graph_access_denied", "administrator");
    let shown = field.stage.mailbox(field.id).send_problem.unwrap();
    assert_eq!(shown.disposition, Disposition::NeedsAdmin);
    let (services, agent) = (&field.stage.services, &field.stage.admin.agent);
    let work = &services.work;
    work.retry_delivery(services, queued.delivery_id, agent)
        .unwrap();
    field.all_leave();
    assert_eq!(field.stage.mailbox(field.id).send_problem, None);
    field.everything_once();
}
