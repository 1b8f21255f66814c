//! One element and one point at a time, in the integers of the machine.

#[cfg(test)]
mod narrow;
