//! `mailhatch doctor`: every check an operator would make by hand. Each failing line says the remedy.

use std::process::ExitCode;

use serde::Serialize;

use super::output::{self, Json};
use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::oauth::check_app;
use crate::problem::{Disposition, Problem};
use crate::store::{check, mailboxes};
use crate::work::alerts::channels;
use crate::work::probe::CheckState;
use crate::work::{Services, connect, disk, entra_app};

/// Further off than this, ID tokens and certificates are refused.
const CLOCK_OFF_MAX_SECONDS: i64 = 120;

#[derive(Debug, Serialize)]
struct Finding {
    check: String,
    ok: bool,
    sentence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

impl Finding {
    fn good(check: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self {
            check: check.into(),
            ok: true,
            sentence: sentence.into(),
            problem: None,
        }
    }

    fn of(check: impl Into<String>, result: Result<String, Problem>) -> Self {
        match result {
            Ok(sentence) => Self::good(check, sentence),
            Err(problem) => Self {
                check: check.into(),
                ok: false,
                sentence: problem.sentence.clone(),
                problem: Some(problem),
            },
        }
    }
}

pub(super) fn run(format: Json) -> anyhow::Result<ExitCode> {
    let config = Config::from_process()?;
    let mut findings = vec![Finding::good("settings", "All settings can be used.")];
    let has_database = config.database().exists();
    // Opening makes the database on a fresh machine; a doctor changes nothing.
    if has_database {
        match app::open(config, Clock::System) {
            Ok(services) => examine(&services, format, &mut findings),
            Err(error) => findings.push(Finding::of("database", Err(cannot_open(&error)))),
        }
    } else {
        let sentence = format!("There is no database at {}.", config.database().display());
        let remedy =
            "Start the service once, or set MAILHATCH_DATA_DIR to the folder that holds it.";
        let problem = Problem::new("no_database", Disposition::NeedsAdmin, sentence, remedy);
        findings.push(Finding::of("database", Err(problem)));
    }
    report(format, &findings)
}

fn cannot_open(error: &anyhow::Error) -> Problem {
    Problem::new(
        "cannot_open",
        Disposition::NeedsAdmin,
        "The database or its key cannot be opened.",
        "Do what the detail says, then run the doctor again.",
    )
    .with_detail(format!("{error:#}"))
}

fn examine(services: &Services, format: Json, findings: &mut Vec<Finding>) {
    let mut add = |finding: Finding| {
        if !format.json {
            output::say(&format!("checked {}", finding.check));
        }
        findings.push(finding);
    };
    add(Finding::good(
        "key",
        "The sealing key belongs to the database.",
    ));
    add(Finding::of("disk", disk(services)));
    add(Finding::of("integrity", integrity(services)));
    add(Finding::of("alerts", alerts(services)));
    match entra_app::find(services) {
        Err(problem) => add(Finding::of("Entra app", Err(problem))),
        Ok(app) => {
            add(Finding::of("clock", clock(services)));
            let checked = check_app(&services.http, &app, services.clock.now());
            add(Finding::of(
                "Entra app",
                checked.map(|checked| checked.sentence),
            ));
            add(Finding::of("secret expiry", expiry(services)));
        }
    }
    let mailboxes = services.store.read(mailboxes::list).unwrap_or_default();
    for mailbox in mailboxes {
        match connect::check(services, mailbox.id) {
            Err(problem) => add(Finding::of(mailbox.address.clone(), Err(problem))),
            Ok(lines) => {
                for line in lines {
                    add(Finding {
                        check: format!("{}: {}", mailbox.address, line.name),
                        ok: line.state != CheckState::Bad,
                        sentence: line.sentence,
                        problem: line.problem.filter(|_| line.state == CheckState::Bad),
                    });
                }
            }
        }
    }
}

fn disk(services: &Services) -> Result<String, Problem> {
    let free = disk::free_bytes(&services.config.data_dir)?;
    let settings = services
        .store
        .read(|db| channels::read(db, &services.sealer))
        .map_err(|error| error.to_problem())?;
    if free < settings.disk_min_bytes() {
        return Err(disk::too_full(free));
    }
    let (free_mb, size_mb) = (free >> 20, services.store.size_bytes() >> 20);
    Ok(format!(
        "{free_mb} MB are free; the database takes {size_mb} MB."
    ))
}

/// Whether administrators could be told, and what stands open.
fn alerts(services: &Services) -> Result<String, Problem> {
    let state = services
        .store
        .read(|db| channels::state(db, &services.sealer))
        .map_err(|error| error.to_problem())?;
    let waiting = [&state.mail, &state.webhook]
        .into_iter()
        .find_map(|channel| channel.problem.clone());
    match waiting {
        Some(problem) => Err(problem),
        None => Ok(state.sentence()),
    }
}

fn integrity(services: &Services) -> Result<String, Problem> {
    let broken = services
        .store
        .read(check::run)
        .map_err(|error| error.to_problem())?;
    if broken.is_empty() {
        return Ok("The database is whole and all its invariants hold.".to_owned());
    }
    Err(Problem::new(
        "invariants",
        Disposition::NeedsAdmin,
        "The database breaks invariants.",
        "Restore the newest backup with `mailhatch restore`, and report the detail.",
    )
    .with_detail(broken.join("; ")))
}

/// Compares our clock with Entra's, whose answers carry a Date (RFC 9110 §6.6.1).
fn clock(services: &Services) -> Result<String, Problem> {
    let endpoints = entra_app::endpoints(services).map_err(|error| error.to_problem())?;
    let url = format!(
        "{}/common/v2.0/.well-known/openid-configuration",
        endpoints.login_url
    );
    let answer = services.http.get(&url, &[])?;
    let theirs = answer
        .header("date")
        .and_then(|text| chrono::DateTime::parse_from_rfc2822(text).ok())
        .map(|at| at.timestamp());
    let Some(theirs) = theirs else {
        return Ok("Microsoft's sign-in service can be reached.".to_owned());
    };
    let off = services.clock.now().saturating_sub(theirs);
    if off.abs() > CLOCK_OFF_MAX_SECONDS {
        return Err(Problem::new(
            "clock",
            Disposition::NeedsAdmin,
            format!("This machine's clock is {off} seconds off Microsoft's."),
            "Let the machine set its clock over the network: timedatectl set-ntp true.",
        ));
    }
    Ok(format!(
        "Microsoft's sign-in service can be reached; the clocks agree within {} seconds.",
        off.abs() + 1
    ))
}

fn expiry(services: &Services) -> Result<String, Problem> {
    let state = entra_app::state(services).map_err(|error| error.to_problem())?;
    match (state.days_left, state.warning) {
        (None, _) => Ok("The day the secret ends is not noted; enter it under Administration, Microsoft, to be warned.".to_owned()),
        (Some(left), Some(_)) => Err(Problem::new(
            "secret_expires",
            Disposition::NeedsAdmin,
            format!("The app's secret or certificate ends in {left} days."),
            "Make a new one in the app registration, enter it, and note its day.",
        )),
        (Some(left), None) => Ok(format!("The secret lasts {left} days more.")),
    }
}

fn report(format: Json, findings: &[Finding]) -> anyhow::Result<ExitCode> {
    let bad = findings.iter().filter(|finding| !finding.ok).count();
    if format.json {
        output::json(&findings)?;
    } else {
        for finding in findings {
            let mark = if finding.ok { "ok  " } else { "FAIL" };
            output::line(&format!("{mark}  {}: {}", finding.check, finding.sentence))?;
            if let Some(problem) = &finding.problem {
                output::line(&format!("      do: {}", problem.remedy))?;
                let more = [&problem.link, &problem.command];
                more.into_iter()
                    .flatten()
                    .try_for_each(|text| output::line(&format!("          {text}")))?;
                if !problem.detail.is_empty() {
                    output::line(&format!("      detail: {}", problem.detail))?;
                }
            }
        }
        let verdict = if bad == 0 {
            "All is well.".to_owned()
        } else {
            format!("{bad} checks failed.")
        };
        output::line(&verdict)?;
    }
    Ok(if bad == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
