//! stub
use crate::net::xoauth2::Login;
use crate::net::{Server, Trust};
use crate::problem::Problem;
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suggestion {
    UseGraph,
    RefreshToken,
    TryUpn,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Connect,
    Auth,
    Mail,
    Rcpt,
    Data,
}
#[derive(Debug, Clone)]
pub struct Refusal {
    pub stage: Stage,
    pub problem: Problem,
    pub suggests: Option<Suggestion>,
    pub stops_mailbox: bool,
}
impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self {
            stage: Stage::Connect,
            problem,
            suggests: None,
            stops_mailbox: false,
        }
    }
}
#[derive(Debug)]
pub struct Envelope {
    pub mail_from: String,
    pub recipients: Vec<String>,
}
#[derive(Debug)]
pub enum Outcome {
    Accepted {
        reply: String,
        effective_message_id: Option<String>,
        refused_recipients: Vec<(String, Problem)>,
    },
    Refused(Refusal),
    Unknown {
        problem: Problem,
    },
}
#[derive(Debug)]
pub struct Session;
impl Session {
    pub fn open(_: &Server, _: &Trust, _: &Login, _: &str) -> Result<Self, Refusal> {
        todo!()
    }
    pub fn send(&mut self, _: &Envelope, _: &[u8]) -> Outcome {
        todo!()
    }
    pub fn is_usable(&self) -> bool {
        true
    }
    pub fn quit(self) {}
}
