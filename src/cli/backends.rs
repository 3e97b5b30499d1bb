//! `auralis backends`: every candidate of every kind.

use auralis_registry::Backend;

use super::{Global, Outcome, output};

/// Runs the verb.
pub fn run(global: &Global) -> Outcome {
    let optimizer = global.listed_optimizer(&[])?;
    let backends = optimizer.backends();
    if global.json {
        return backends.iter().try_for_each(output::json);
    }
    let width = |f: fn(&Backend) -> &str| backends.iter().map(|b| f(b).len()).max().unwrap_or(0);
    let (kinds, ids) = (width(kind).max(4), width(id).max(2));
    output::line(format_args!(
        "  {:kinds$}  {:ids$}  {:>4}  from and why",
        "kind", "id", "rank"
    ))?;
    for backend in &backends {
        let mark = match (backend.selected, backend.available) {
            (true, _) => "*",
            (false, true) => " ",
            (false, false) => "-",
        };
        let rank = backend.rank.map_or(String::new(), |rank| rank.to_string());
        let reason = backend
            .reason
            .as_ref()
            .map_or(String::new(), |r| format!(": {r}"));
        output::line(format_args!(
            "{mark} {:kinds$}  {:ids$}  {rank:>4}  {}{reason}",
            kind(backend),
            id(backend),
            backend.source
        ))?;
    }
    output::remark(global, "* selected   - can't be had here");
    Ok(())
}

fn kind(backend: &Backend) -> &str {
    backend.kind.as_deref().unwrap_or("plugin")
}

fn id(backend: &Backend) -> &str {
    backend.id.as_deref().unwrap_or("?")
}
