//! Both controllers as one event loop without I/O.
