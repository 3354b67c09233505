use super::*;
use crate::mail::parse;
