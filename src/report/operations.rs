//! The part of the page on where the time went.

use auralis_core::profiler::{OperationReport, Report};
use maud::{Markup, html};

use super::figures::{count, duration};
use super::names::message;

/// The operations that ran, the longest first.
pub fn by_total(report: &Report) -> Vec<&OperationReport> {
    let mut ran: Vec<_> = report.operations.iter().filter(|o| o.count > 0).collect();
    ran.sort_by_key(|o| std::cmp::Reverse(o.total_ns));
    ran
}

/// The section on a profiler's report.
pub fn section(report: &Report) -> Markup {
    let ran = by_total(report);
    let longest = ran.first().map_or(1, |o| o.total_ns.max(1)) as f64;
    html! {
        section .operations {
            h2 { "Where the time went" }
            @if ran.is_empty() {
                p .faint { "The profiler recorded nothing." }
            } @else {
                p .faint {
                    "Sums over all threads: several cores together take more than the wall time."
                }
                div .scroll {
                    table {
                        thead {
                            tr {
                                th scope="col" { "Operation" }
                                th scope="col" .bars { span .hidden { "Share of the longest" } }
                                @for name in ["Total", "Runs", "Mean", "p50", "p99"] {
                                    th scope="col" .number { (name) }
                                }
                            }
                        }
                        tbody { @for operation in ran { (row(operation, longest)) } }
                    }
                }
            }
        }
    }
}

fn row(operation: &OperationReport, longest: f64) -> Markup {
    let share = 100.0 * operation.total_ns as f64 / longest;
    let times = [
        operation.mean_ns,
        operation.p50_ns as f64,
        operation.p99_ns as f64,
    ];
    html! {
        tr {
            th scope="row" { (message(&operation.name)) }
            td .bars { span .bar style=(format!("width:{share:.1}%")) {} }
            td .number { (duration(operation.total_ns as f64)) }
            td .number { (count(operation.count)) }
            @for time in times { td .number { (duration(time)) } }
        }
    }
}
