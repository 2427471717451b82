use thiserror::Error;

/// Why something could not be had from the API server.
#[derive(Debug, Error)]
pub enum ControllerError {
    /// No connection, a broken one, or bad credentials.
    #[error("cannot reach the API server: {0}")]
    Transport(String),
    /// The answer is no JSON.
    #[error("the API server's answer cannot be read: {0}")]
    Decode(#[from] kro_value::JsonError),
    /// The request cannot be built.
    #[error("malformed request: {0}")]
    Malformed(#[from] http::Error),
    /// A CustomResourceDefinition of kro's own cannot be had.
    #[error("cannot install the CustomResourceDefinition {name}: {message}")]
    Install {
        /// Its name.
        name: kro_value::Str,
        /// What the server says.
        message: kro_value::Str,
    },
    /// The API server says no.
    #[error("the API server refuses {target} with status {status}: {message}")]
    Refused {
        /// What was asked for.
        target: String,
        /// HTTP status.
        status: u16,
        /// What the server says.
        message: kro_value::Str,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {cause}")]
    Bind {
        /// What was asked for.
        address: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// There is no usable configuration.
    #[error("cannot use the kubeconfig: {0}")]
    Config(String),
}
