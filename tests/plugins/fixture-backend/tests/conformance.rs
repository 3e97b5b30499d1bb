//! The fixture passes what a host asks of a plugin before it uses it.

use auralis_core::{Accelerator, BuildContext, CpuFeatures, Linked};
use auralis_testkit::{Subject, quick};
use fixture_backend as _;

#[test]
fn the_fixture_passes_the_quick_part_of_the_suite() {
    let linked = <dyn Accelerator>::linked();
    let fixture = linked.iter().find(|d| d.id == "fixture").unwrap();
    let build = |context: &BuildContext<'_, dyn Accelerator>| (fixture.build)(context);
    let (capabilities, schema) = (fixture.capabilities, fixture.options_schema);
    let subject = Subject::new(
        "fixture",
        capabilities,
        schema,
        CpuFeatures::detect(),
        &build,
    );
    assert_eq!(quick(&subject), Ok(()));
}
