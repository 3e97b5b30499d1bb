//! A plugin of ABI 1, as it was released: today's host must run it.

use auralis_core::{Accelerator, Cache};
use auralis_testkit::{accelerator, cache};

use crate::conformance::{backend, conforms};
use crate::library::{open, repository};
use crate::nested;

#[test]
fn a_plugin_of_abi_1_works_in_this_host() {
    let workspace = repository("tests/plugins/abi-1");
    let library = nested::build(&workspace, "plugin-abi-1", &["--locked"]);
    let plugin = open(&library).unwrap();
    assert_eq!((plugin.name(), plugin.version()), ("plugin-abi-1", "1.0.0"));
    assert_eq!(plugin.backends().len(), 2);

    let kernels = ["scale", "add", "dot", "peak", "convolver"];
    assert_eq!(
        backend(&plugin, "accelerator", "abi-1").capabilities,
        kernels
    );
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
