//! Tuning in a program of one's own: measured, written, selected by; a fast kernel that is wrong is
//! never chosen.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use auralis::Optimizer;
use auralis::registry::tuning::{Outcome, Tuning};
use auralis::registry::{Authority, Candidate, Cpu, Facts, Registry};
use auralis::tuning::{Field, tune};
use auralis_core::{Accelerator, CpuFeatures, Options, Result};

/// Answers at once, and wrongly but for nothing at all.
#[derive(Debug)]
struct Liar;

impl Accelerator for Liar {
    fn dot(&self, a: &[f32], _: &[f32]) -> Result<f32> {
        Ok(if a.is_empty() { 0.0 } else { 42.0 })
    }

    fn peak(&self, data: &[f32]) -> Result<f32> {
        // Right at every length but one that the quick part tries.
        let right = data.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
        Ok(if data.len() == 67 { right + 1.0 } else { right })
    }

    fn scale(&self, data: &mut [f32], gain: f32) -> Result<()> {
        data.iter_mut().for_each(|x| *x *= gain);
        Ok(())
    }
}

/// What is linked, and a liar of the highest rank.
fn registry(version: &str) -> Registry {
    let facts = Facts {
        id: "liar".into(),
        version: version.into(),
        rank: 1000,
        capabilities: ["dot", "peak", "scale"].map(str::to_owned).into(),
        options_schema: "{}".into(),
        ..Facts::default()
    };
    let liar = Candidate::<dyn Accelerator>::new(facts, |_| Ok(Arc::new(Liar)));
    Registry::linked().unwrap().with(liar).unwrap()
}

fn optimizer(registry: Registry, file: &Path) -> Optimizer {
    let builder = Optimizer::builder().registry(registry);
    builder.tuning_file(file).build().unwrap()
}

#[test]
fn a_wrong_kernel_is_never_chosen_and_a_foreign_file_never_used() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tuning.json");
    let untuned = optimizer(registry("1.0.0"), &file);
    assert_eq!(untuned.tuning().unwrap().outcome, Outcome::Absent);
    assert_eq!(untuned.selections()[0].chosen, "liar");

    let measured = registry("1.0.0");
    let field = Field {
        registry: &measured,
        cpu: Cpu::detect(CpuFeatures::NONE),
        options: Box::new(|_| Options::default()),
    };
    let tuning: Tuning = tune(&field, Duration::from_millis(200));
    let mut wrong: Vec<_> = tuning.wrong.iter().collect();
    wrong.sort_by_key(|w| &w.kernel);
    let names: Vec<_> = wrong.iter().map(|w| (&*w.kernel, &*w.id)).collect();
    assert_eq!(names, [("dot", "liar"), ("peak", "liar")]);
    assert!(wrong[1].reason.contains("67"), "{}", wrong[1].reason);
    let timed = |kernel: &str| {
        let mut cells = tuning.cells.iter().filter(|cell| cell.kernel == kernel);
        cells.any(|cell| cell.times.contains_key("liar"))
    };
    assert!(!timed("dot") && !timed("peak") && timed("scale"));
    tuning.write(&file).unwrap();

    let tuned = optimizer(registry("1.0.0"), &file);
    let selection = &tuned.selections()[0];
    assert_eq!(selection.decided_by, Authority::Measured);
    assert_ne!(selection.chosen, "liar");
    let shares = selection.measured.as_ref().unwrap();
    for kernel in ["dot", "peak"] {
        assert!(
            shares[kernel].iter().all(|share| share.backend != "liar"),
            "{kernel}"
        );
    }
    for len in [0, 1, 7, 64, 67, 5000] {
        let ones = vec![1.0; len];
        let accelerator = &tuned.parts().accelerator;
        assert_eq!(accelerator.dot(&ones, &ones).unwrap(), len as f32, "{len}");
        assert_eq!(
            accelerator.peak(&ones).unwrap(),
            f32::from(u8::from(len > 0)),
            "{len}"
        );
    }

    let foreign = optimizer(registry("1.0.1"), &file);
    assert_eq!(foreign.selections()[0].decided_by, Authority::Rank);
    let Outcome::Ignored(reason) = &foreign.tuning().unwrap().outcome else {
        panic!("a file of another version was used");
    };
    assert!(
        reason.contains("\"liar\" was 1.0.0 and is 1.0.1"),
        "{reason}"
    );
}
