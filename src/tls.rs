//! HTTPS with the operator's own certificate, read again when its files change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// A server configuration with this certificate chain and key (PEM).
///
/// # Errors
/// When they cannot be read or do not belong together.
pub fn server_config(cert: &Path, key: &Path) -> anyhow::Result<ServerConfig> {
    let files = Files {
        cert: cert.to_owned(),
        key: key.to_owned(),
    };
    let current = files.read()?;
    let loaded = Loaded {
        changed_at: files.changed_at(),
        looked_at: Instant::now(),
        current,
    };
    let resolver = Reloading {
        files,
        loaded: Mutex::new(loaded),
    };
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    Ok(config)
}

#[derive(Debug)]
struct Files {
    cert: PathBuf,
    key: PathBuf,
}

impl Files {
    fn read(&self) -> anyhow::Result<Arc<CertifiedKey>> {
        let chain = CertificateDer::pem_file_iter(&self.cert)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .with_context(|| {
                format!(
                    "cannot read certificates from {} (MAILHATCH_TLS_CERT)",
                    self.cert.display()
                )
            })?;
        anyhow::ensure!(
            !chain.is_empty(),
            "{} holds no certificate (MAILHATCH_TLS_CERT)",
            self.cert.display()
        );
        let key = PrivateKeyDer::from_pem_file(&self.key).with_context(|| {
            format!(
                "cannot read a private key from {} (MAILHATCH_TLS_KEY)",
                self.key.display()
            )
        })?;
        let certified = CertifiedKey::from_der(chain, key, &ring::default_provider())
            .context("the certificate and the key do not belong together (MAILHATCH_TLS_CERT, MAILHATCH_TLS_KEY)")?;
        Ok(Arc::new(certified))
    }

    fn changed_at(&self) -> [Option<SystemTime>; 2] {
        [&self.cert, &self.key].map(|path| {
            std::fs::metadata(path)
                .and_then(|found| found.modified())
                .ok()
        })
    }
}

#[derive(Debug)]
struct Loaded {
    changed_at: [Option<SystemTime>; 2],
    looked_at: Instant,
    current: Arc<CertifiedKey>,
}

#[derive(Debug)]
struct Reloading {
    files: Files,
    loaded: Mutex<Loaded>,
}

impl ResolvesServerCert for Reloading {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if loaded.looked_at.elapsed() >= LOOK_EVERY {
            loaded.looked_at = Instant::now();
            let changed_at = self.files.changed_at();
            if changed_at != loaded.changed_at {
                match self.files.read() {
                    Ok(current) => {
                        tracing::info!("the TLS certificate was read again");
                        loaded.current = current;
                        loaded.changed_at = changed_at;
                    }
                    // Half written, or wrong: the old one serves on, and we look again.
                    Err(error) => {
                        tracing::warn!(%error, "the changed TLS certificate cannot be used yet")
                    }
                }
            }
        }
        Some(Arc::clone(&loaded.current))
    }
}
