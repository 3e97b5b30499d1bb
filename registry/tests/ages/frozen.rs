//! A plugin of ABI 1, as it was released: today's host must run it.

use auralis_core::{Accelerator, Cache};
use auralis_testkit::{accelerator, cache};

use crate::conformance::{candidate, conforms};
use crate::host::{load, repository};
use crate::nested;

pub fn works() {
    let workspace = repository("tests/plugins/abi-1");
    let library = nested::build(&workspace, "plugin-abi-1", &["--locked"]);
    let plugin = load(&library).unwrap();
    assert_eq!((plugin.name(), plugin.version()), ("plugin-abi-1", "1.0.0"));

    let kernels = ["scale", "add", "dot", "peak", "convolver"];
    let facts = candidate::<dyn Accelerator>(&plugin, "abi-1").facts;
    assert_eq!(facts.capabilities, kernels);
    let trials = conforms::<dyn Accelerator>(&plugin, "abi-1", accelerator::trials());
    for kernel in kernels {
        assert!(trials.contains(&kernel), "{kernel} was not tried");
    }

    let trials = conforms::<dyn Cache>(&plugin, "abi-1", cache::trials());
    assert!(
        trials.contains(&"hit_never_returns_other_bytes"),
        "{trials:?}"
    );
}
