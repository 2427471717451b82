//! Server-side apply and managed fields, patches, selectors, Status.
