//! A kernel of one's own: registered with its variants, selected, explained and called.

use auralis::Optimizer;
use auralis::core::Result;

#[path = "../tests/plugins/own-kernel/src/soft_clip.rs"]
mod soft_clip;

fn main() -> Result<()> {
    let optimizer = Optimizer::builder().build()?;
    for selection in optimizer.kernels() {
        let (kind, chosen, by) = (&selection.kind, &selection.chosen, selection.decided_by);
        println!("{kind} = {chosen} (decided by {by}, {})", selection.source);
        for rejected in &selection.rejected {
            println!("  not {}: {}", rejected.id, rejected.reason);
        }
    }
    let soft_clip = optimizer.kernel("acme.soft-clip")?;
    let mut audio = [0.0, 0.5, -0.5, 4.0];
    soft_clip.call(&mut audio, &[&[0.0, 0.0, 0.5, 0.0]], &[2.0, 0.5])?;
    println!("{soft_clip:?}: {audio:?}");
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
