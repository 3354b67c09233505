//! The pretend Entra and Graph seen over HTTP.

#[cfg(test)]
mod calls;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod graph;
#[cfg(test)]
mod home;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod site;
#[cfg(test)]
mod tokens;
