//! The people who sign in and answer.

use super::ids::{AgentId, SessionId};
use super::words::words;

words! {
    /// What an agent may do.
    Role {
        /// Reads and answers.
        Agent = "agent",
        /// Also connects mailboxes and manages agents.
        Admin = "admin",
    }
}

/// A person who signs in and answers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Agent {
    /// Row id.
    pub id: AgentId,
    /// Sign-in name, an e-mail address; compared without case.
    pub email: String,
    /// Name shown to colleagues and, in From, to customers.
    pub name: String,
    /// What the agent may do.
    pub role: Role,
    /// When the agent was made.
    pub created_at: i64,
    /// When the agent was disabled; such an agent cannot sign in.
    pub disabled_at: Option<i64>,
}

impl Agent {
    /// Whether this agent administers the installation.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }
}

/// The agent behind a request, with the session that proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The session's row id.
    pub session_id: SessionId,
    /// What every unsafe form of this session must carry.
    pub csrf_token: String,
    /// Who it is.
    pub agent: Agent,
}
