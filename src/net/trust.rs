//! Which certificates we believe: the public roots, and those of the operator's own authority.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::problem::{Disposition, Problem};

/// The TLS settings shared by all connections; cheap to clone.
#[derive(Debug, Clone)]
pub struct Trust {
    config: Arc<ClientConfig>,
}

impl Trust {
    /// Trusts the public roots (Mozilla's list) and, if given, the certificates in `extra_roots_pem`.
    ///
    /// # Errors
    /// When the extra certificates cannot be read.
    pub fn new(extra_roots_pem: Option<&[u8]>) -> Result<Self, Problem> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        if let Some(pem) = extra_roots_pem {
            let mut added = 0_usize;
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|e| unreadable(&e.to_string()))?;
                roots
                    .add(certificate)
                    .map_err(|e| unreadable(&e.to_string()))?;
                added = added.saturating_add(1);
            }
            if added == 0 {
                return Err(unreadable("no CERTIFICATE block found"));
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| unreadable(&e.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            config: Arc::new(config),
        })
    }

    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }
}

fn unreadable(detail: &str) -> Problem {
    Problem::new(
        "ca_file_unreadable",
        Disposition::NeedsAdmin,
        "The file with additional trusted certificates cannot be read.",
        "MAILHATCH_CA_FILE must name a PEM file with at least one root certificate. Correct it and start again.",
    )
    .with_detail(detail)
}
