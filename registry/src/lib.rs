//! Discovery, configuration and selection of Auralis backends.
