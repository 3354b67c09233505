//! The architecture as tests: they read the tree and need nothing of the program. Each is a sentence
//! that must hold, and each failure says where it does not and what to do.

#[cfg(test)]
mod documents;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod rust;
#[cfg(test)]
mod shape;
#[cfg(test)]
mod templates;
#[cfg(test)]
mod tree;
