//! `cargo xtask`: the only build tool of Countersign. Here is what each word of the command line starts, and nothing else.
//!
//! Nothing of the product depends on this crate. Its modules, one subject each:
//! `up` starts a daemon to try things on, `test` is the whole check, `build_wasm` makes the npm package's
//! WebAssembly, `dist` what an operator is given, `bench` measures, `fuzz` and `soak` run what takes longer than the whole check may.

mod announce;
mod bench;
mod build_wasm;
mod clock;
mod counts;
mod descendants;
mod dev_secret;
mod dist;
mod failures;
mod freshness;
mod fuzz;
mod report;
mod run;
mod signing_code;
mod soak;
mod steps;
mod test;
mod tools;
mod traps;
mod up;
mod workspace;

use std::process::ExitCode;

use anyhow::bail;
use workspace::Workspace;

const HELP: &str = "\
cargo xtask <command>

  up [--port N] [--data-dir DIR] [--debug]   build all and start the daemon on 127.0.0.1, with its page
  test [FILTER...] [--list] [--verbose]      the whole check, or the steps whose names match
  build-wasm                                 the verifier as WebAssembly, into pkg/wasm
  dist                                       the static binary and the files that run it, into target/dist
  bench [verify|size|issuer|growth|revocation|all]  measure, and write docs/benchmarks.md
  fuzz [TARGET...] [--seconds N]              libFuzzer on the code that reads what comes from outside
  soak model [--minutes N | --checks N]      revocation among failures of every kind, on all processors
  soak api [--cases N]                       requests made of docs/openapi.json, and their answers held against it
  soak crash [--rounds N]                    kill -9 under load; `soak corruption`: its files are damaged
  soak linear [--operations N]               clients race, and their answers must have an order
  soak power [--rounds N]                    power cuts under load; `soak faults`: every call that changes a file fails
  soak clock [--jumps N]                     the calendar jumps under load
  soak cluster [--rounds N]                  three daemons on one PostgreSQL, each round the one that writes or the database fails
  soak logins [--samples N]                  whether the time of a refusal tells its reason, and logins a second
  soak mutants [NAME...]                     take each safeguard out of a copy, and see that a test notices
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let Some((command, rest)) = arguments.split_first() else {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let workspace = Workspace::find()?;
    match command.as_str() {
        "up" => up::run(&workspace, rest).map(|()| ExitCode::SUCCESS),
        "test" => test::run(&workspace, rest),
        "build-wasm" => {
            tools::Tool::WasmTarget.ensure(&workspace)?;
            build_wasm::run(&workspace.root, "wasm").map(|()| ExitCode::SUCCESS)
        }
        "dist" => {
            tools::Tool::WasmTarget.ensure(&workspace)?;
            build_wasm::run(&workspace.root, "wasm")?;
            dist::run(&workspace).map(|()| ExitCode::SUCCESS)
        }
        "bench" => bench::run(&workspace, rest).map(|()| ExitCode::SUCCESS),
        "fuzz" => fuzz::run(&workspace, rest).map(|()| ExitCode::SUCCESS),
        "soak" => soak::run(&workspace, rest).map(|()| ExitCode::SUCCESS),
        "announce" => announce::run(rest).map(|()| ExitCode::SUCCESS),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("there is no command {other:?}\n\n{HELP}"),
    }
}
