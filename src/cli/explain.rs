//! `auralis explain`: what was selected, who decided, and why not the others.

use auralis_registry::Share;
use auralis_registry::tuning::TuningReport;

use super::{Global, Outcome, output, rejection};

/// Runs the verb.
pub fn run(global: &Global) -> Outcome {
    if global.json {
        // A rejected plugin that could not be read stands in no selection.
        let optimizer = global.optimizer(&[])?;
        optimizer.selections().iter().try_for_each(output::json)?;
        return optimizer.kernels().try_for_each(output::json);
    }
    let optimizer = global.listed_optimizer(&[])?;
    output::line(format_args!("cpu: {}", optimizer.cpu()))?;
    for selection in optimizer.selections() {
        output::line(format_args!(
            "\n{} = {} (decided by {})",
            selection.kind, selection.chosen, selection.decided_by
        ))?;
        if selection.kind == "accelerator" {
            let variant = optimizer.parts().accelerator.variant();
            if !variant.is_empty() {
                output::line(format_args!("  runs {variant}"))?;
            }
        }
        if let Some(tuning) = &selection.tuning {
            output::line(format_args!("  {}", said(tuning)))?;
        }
        let measured = selection.measured.as_ref();
        for (kernel, id) in selection.kernels.iter().flatten() {
            if measured.is_none_or(|measured| !measured.contains_key(kernel)) {
                output::line(format_args!("  {kernel}: {id}"))?;
            }
        }
        for (kernel, shares) in measured.into_iter().flatten() {
            output::line(format_args!("  {kernel}: {} (measured)", spread(shares)))?;
        }
        for rejected in &selection.rejected {
            output::line(format_args!("  not {}: {}", rejected.id, rejected.reason))?;
        }
    }
    for kernel in optimizer.kernels() {
        output::line(format_args!(
            "\n{} = {} (decided by {}, {})",
            kernel.kind, kernel.chosen, kernel.decided_by, kernel.source
        ))?;
        for rejected in &kernel.rejected {
            output::line(format_args!("  not {}: {}", rejected.id, rejected.reason))?;
        }
    }
    for plugin in optimizer.rejected_plugins() {
        output::line(format_args!("\n{}", rejection(plugin)))?;
    }
    Ok(())
}

/// What came of the tuning file, in a line.
fn said(tuning: &TuningReport) -> String {
    let file = tuning.file.display();
    match &tuning.reason {
        None => format!("goes by the tuning file {file}"),
        Some(reason) => format!("ignores the tuning file {file}: {reason}"),
    }
}

/// Which backend runs which sizes: `scalar, from 8 avx512`.
fn spread(shares: &[Share]) -> String {
    let from = |share: &Share| {
        let sizes: Vec<_> = share.from.iter().map(usize::to_string).collect();
        match share.from.iter().all(|size| *size == 0) {
            true => share.backend.clone(),
            false => format!("from {} {}", sizes.join(" x "), share.backend),
        }
    };
    shares.iter().map(from).collect::<Vec<_>>().join(", ")
}
