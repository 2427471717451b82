//! The reference engine behind a process that answers JSON Lines.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// Starts the reference for every batch; it reads all of a batch before the last answer comes.
#[derive(Clone, Debug)]
pub struct Oracle {
    program: String,
    arguments: Vec<String>,
}

impl Oracle {
    /// A program with its arguments.
    pub fn new(program: &str, arguments: &[&str]) -> Self {
        Self { program: program.to_owned(), arguments: arguments.iter().map(ToString::to_string).collect() }
    }

    fn start(&self) -> Child {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.program))
    }

    /// The answers to some questions, in their order.
    pub fn ask(&self, questions: &[Value]) -> Vec<Value> {
        let mut child = self.start();
        let mut input = child.stdin.take().expect("a pipe");
        let text: String = questions.iter().map(|question| format!("{question}\n")).collect();
        let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let answers: Vec<Value> =
            output.lines().map(|line| serde_json::from_str(&line.expect("a line")).expect("an answer")).collect();
        writer.join().expect("a writer").expect("the oracle reads");
        child.wait().expect("the oracle ends");
        assert_eq!(answers.len(), questions.len(), "an answer for each question");
        answers
    }
}
