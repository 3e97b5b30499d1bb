//! `auralis explain`: what was selected, who decided, and why not the others.

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
        for (kernel, id) in selection.kernels.iter().flatten() {
            output::line(format_args!("  {kernel}: {id}"))?;
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
