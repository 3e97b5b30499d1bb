//! A file that is kept in the repository and must be what the code gives.

use std::env;
use std::fs;

/// Fails if the file of this crate does not hold `expected`, and says what differs; writes it instead where
/// `AURALIS_BLESS` is set.
pub fn compare(name: &str, expected: &str, rule: &str) {
    let file = &crate::file(name);
    if env::var_os("AURALIS_BLESS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, expected).unwrap();
        return;
    }
    let kept = fs::read_to_string(file).unwrap_or_default();
    if kept == expected {
        return;
    }
    panic!(
        "core/abi/{name} is not what the tables give:\n{}\n{rule}\nIf nothing that is released \
         has changed, write the file with:\n    AURALIS_BLESS=1 cargo test -p auralis-abi --test \
         layouts\n",
        difference(&kept, expected)
    );
}

/// The lines of one text that the other lacks, each under the section that it stands in.
fn difference(kept: &str, expected: &str) -> String {
    let (kept, expected) = (sectioned(kept), sectioned(expected));
    let less = |from: &[(String, String)], other: &[(String, String)], sign| {
        let missing = from.iter().filter(|line| !other.contains(line));
        missing
            .map(|(section, line)| format!("{sign} {line}    (in: {section})"))
            .collect::<Vec<_>>()
    };
    let lines = [less(&kept, &expected, '-'), less(&expected, &kept, '+')].concat();
    match lines.is_empty() {
        true => "the same lines in another order".into(),
        false => lines.join("\n"),
    }
}

/// Each line with the one that opens its section: the last that is not indented.
fn sectioned(text: &str) -> Vec<(String, String)> {
    let mut section = String::new();
    let lines = text.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| {
            if !line.starts_with([' ', '}']) {
                section = line.split(',').next().unwrap_or_default().to_owned();
            }
            (section.clone(), line.trim_end().to_owned())
        })
        .collect()
}
