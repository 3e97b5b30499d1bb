//! What a file is called in a report.

use std::path::{Component, Path, PathBuf};

use super::FileReport;

/// The names of the inputs without the folders that all of them share.
pub fn names(files: &[FileReport]) -> Vec<String> {
    let folders = || files.iter().filter_map(|file| file.input.parent());
    let shared = folders()
        .map(|folder| folder.components().collect::<Vec<_>>())
        .reduce(|shared, folder| common(&shared, &folder))
        .unwrap_or_default()
        .len();
    files
        .iter()
        .map(|file| {
            let rest: PathBuf = file.input.components().skip(shared).collect();
            visible(&rest)
        })
        .collect()
}

fn common<'a>(a: &[Component<'a>], b: &[Component<'a>]) -> Vec<Component<'a>> {
    let pairs = a.iter().zip(b).take_while(|(a, b)| a == b);
    pairs.map(|(a, _)| *a).collect()
}

/// A path as text that can't steer a terminal or turn the direction of what follows.
pub fn visible(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

/// Text with a replacement for each character that controls rather than shows.
fn printable(text: &str) -> String {
    text.replace(|c: char| c.is_control() || turns_direction(c), "\u{fffd}")
}

/// Whether the character sets the direction of what follows: the marks, embeddings, overrides and
/// isolates of the Unicode bidirectional algorithm.
fn turns_direction(c: char) -> bool {
    matches!(
        c,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// A message on one line.
pub fn message(text: &str) -> String {
    printable(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(inputs: &[&str]) -> Vec<String> {
        let files: Vec<_> = inputs
            .iter()
            .map(|input| FileReport {
                input: input.into(),
                output: "out.wav".into(),
                outcome: Err("damaged".to_owned()),
                wall_seconds: 0.0,
                from_cache: false,
            })
            .collect();
        names(&files)
    }

    #[test]
    fn folders_that_all_files_share_are_left_out() {
        assert_eq!(named(&[]), Vec::<String>::new());
        assert_eq!(named(&["/music/a/one.wav"]), ["one.wav"]);
        let (one, two) = (Path::new("a").join("1.wav"), Path::new("b").join("1.wav"));
        let (one, two) = (one.to_str().unwrap(), two.to_str().unwrap());
        assert_eq!(named(&["/music/a/1.wav", "/music/b/1.wav"]), [one, two]);
        assert_eq!(named(&["1.wav", "b/1.wav"]), ["1.wav", two]);
    }

    #[test]
    fn a_name_does_not_steer_the_terminal() {
        assert_eq!(
            named(&["\u{1b}[31mred\n\u{202e}x.wav"]),
            ["\u{fffd}[31mred\u{fffd}\u{fffd}x.wav"]
        );
    }
}
