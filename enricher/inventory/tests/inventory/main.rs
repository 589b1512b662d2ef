//! What the inventory must conclude from hand-written facts.

mod addresses;
mod attributes;
mod decisions;
mod findings;
mod hostile;
mod imports;
mod laws;
mod nested;
mod profile;
mod ward;
