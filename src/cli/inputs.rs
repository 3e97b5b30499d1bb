//! Which files are meant, and where their results go.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use auralis_core::{Error, ErrorKind, Result};

/// The extensions that are looked for in folders.
const EXTENSIONS: [&str; 7] = ["wav", "wave", "flac", "mp3", "ogg", "oga", "bwf"];

/// One input, and its place below the folder that was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The file.
    pub path: PathBuf,
    /// Its path relative to the folder that was named; its name if it was named itself.
    pub relative: PathBuf,
}

/// The files that `named` means: files as they are, folders with every audio file below them, in
/// order. What can't be listed is an error of its own.
pub fn collect(named: &[PathBuf]) -> Vec<Result<Input>> {
    let mut inputs = Vec::new();
    for path in named {
        if path.is_dir() {
            let found = inputs.len();
            walk(path, path, &mut inputs);
            if inputs.len() == found {
                let message = "no audio file (wav, flac, mp3, ogg) in this folder";
                inputs.push(Err(
                    Error::new(ErrorKind::NotFound, message).with("folder", path.display())
                ));
            }
        } else {
            let relative = path.file_name().map_or_else(|| path.clone(), PathBuf::from);
            inputs.push(Ok(Input {
                path: path.clone(),
                relative,
            }));
        }
    }
    inputs
}

fn walk(root: &Path, folder: &Path, inputs: &mut Vec<Result<Input>>) {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(e) => {
            let error = Error::new(ErrorKind::Io, "can't list the folder")
                .with("folder", folder.display())
                .because(e);
            return inputs.push(Err(error));
        }
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // A link to a folder is not followed: it could lead in a circle.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder {
            walk(root, &path, inputs);
        } else if is_audio(&path) && path.is_file() {
            let relative = path.strip_prefix(root).unwrap_or(&path).to_path_buf();
            inputs.push(Ok(Input { path, relative }));
        }
    }
}

fn is_audio(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    EXTENSIONS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(extension))
}

/// The outputs of `inputs` below `folder`: the same place, another extension. Two inputs with one
/// output are an error for each but the first.
pub fn outputs(inputs: &[&Input], folder: &Path, extension: &str) -> Vec<Result<PathBuf>> {
    let mut taken: HashMap<PathBuf, &Path> = HashMap::new();
    inputs
        .iter()
        .map(|input| {
            let output = folder.join(&input.relative).with_extension(extension);
            match taken.get(&output) {
                Some(first) => Err(Error::new(
                    ErrorKind::InvalidInput,
                    "another input has the same output already",
                )
                .with("file", input.path.display())
                .with("output", output.display())
                .with("other input", first.display())),
                None => {
                    taken.insert(output.clone(), &input.path);
                    Ok(output)
                }
            }
        })
        .collect()
}

/// What tells an existing file from others, whatever links name it.
#[cfg(unix)]
pub type Identity = (u64, u64);

/// What tells an existing file from others, whatever links name it.
#[cfg(not(unix))]
pub type Identity = PathBuf;

/// The identity of a file; `None` if there is none.
#[cfg(unix)]
pub fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// The identity of a file; `None` if there is none.
#[cfg(not(unix))]
pub fn identity(path: &Path) -> Option<Identity> {
    path.canonicalize().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_searched_to_its_depth_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("b/c")).unwrap();
        for file in ["z.WAV", "a.flac", "notes.txt", "b/c/d.ogg", "b/e.mp3"] {
            fs::write(root.join(file), b"").unwrap();
        }
        let found: Vec<_> = collect(&[root.to_path_buf()])
            .into_iter()
            .map(|i| i.unwrap().relative)
            .collect();
        assert_eq!(
            found,
            ["a.flac", "b/c/d.ogg", "b/e.mp3", "z.WAV"].map(PathBuf::from)
        );
    }

    #[test]
    fn an_output_belongs_to_one_input() {
        let input = |path: &str| Input {
            path: path.into(),
            relative: path.into(),
        };
        let (a, b, c) = (input("x/a.wav"), input("x/a.flac"), input("y/a.wav"));
        let outputs = outputs(&[&a, &b, &c], Path::new("out"), "wav");
        assert_eq!(outputs[0].as_ref().unwrap(), Path::new("out/x/a.wav"));
        assert_eq!(
            outputs[1].as_ref().unwrap_err().to_string(),
            "another input has the same output already (file: x/a.flac, output: out/x/a.wav, \
             other input: x/a.wav)"
        );
        assert_eq!(outputs[2].as_ref().unwrap(), Path::new("out/y/a.wav"));
    }
}
