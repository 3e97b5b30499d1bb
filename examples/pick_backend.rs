//! Picks backends by settings, as a configuration file or `--set` would, and prints who decided.

use auralis::Optimizer;
use auralis::core::Result;
use auralis::registry::config::Sources;

fn main() -> Result<()> {
    let sources = Sources {
        // The environment stands above the file, `--set` above both.
        environment: vec![("AURALIS_CACHE__BACKEND".into(), "lru".into())],
        sets: vec![
            "accelerator.backend=scalar".into(),
            r#"executor.backend=["a-vendors-own", "sequential"]"#.into(),
        ],
        ..Sources::default()
    };
    let optimizer = Optimizer::builder().sources(sources).build();
    // A name that nobody has is a mistake that is told at once.
    println!("refused: {}\n", optimizer.unwrap_err().report());

    let sources = Sources {
        environment: vec![("AURALIS_CACHE__BACKEND".into(), "lru".into())],
        sets: vec!["accelerator.backend=scalar".into()],
        ..Sources::default()
    };
    let optimizer = Optimizer::builder().sources(sources).build()?;
    for selection in optimizer.selections() {
        println!(
            "{}: {} ({})",
            selection.kind, selection.chosen, selection.decided_by
        );
        for rejected in &selection.rejected {
            println!("    not {}: {}", rejected.id, rejected.reason);
        }
    }
    let chosen = |kind| {
        optimizer
            .selections()
            .iter()
            .find(|s| s.kind == kind)
            .map(|s| &*s.chosen)
    };
    assert_eq!(
        (chosen("accelerator"), chosen("cache")),
        (Some("scalar"), Some("lru"))
    );
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
