//! The vocabulary of Auralis: five traits and what they exchange.
