//! Bodies of responses: complete ones and the stream of a watch.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use kro_apiserver::WatchId;

use crate::Server;

/// The body of a response. Dropping it closes the watch behind it.
pub struct ResponseBody {
    content: Content,
}

enum Content {
    Full(Option<Bytes>),
    Watch(WatchStream),
}

impl ResponseBody {
    pub(crate) fn full(bytes: Bytes) -> Self {
        Self { content: Content::Full(Some(bytes).filter(|bytes| !bytes.is_empty())) }
    }

    pub(crate) fn watch(server: Server, watch: WatchId) -> Self {
        Self { content: Content::Watch(WatchStream { server, watch, chunks: VecDeque::new(), ended: false }) }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut self.content {
            Content::Full(bytes) => Poll::Ready(bytes.take()),
            Content::Watch(stream) => stream.poll_chunk(context),
        };
        next.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Full(bytes) => bytes.is_none(),
            Content::Watch(stream) => stream.ended && stream.chunks.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Content::Watch(_) => SizeHint::default(),
        }
    }
}

/// The events of a watch, pulled: a client that does not read costs no memory, and falls out of the history window.
struct WatchStream {
    server: Server,
    watch: WatchId,
    chunks: VecDeque<Bytes>,
    ended: bool,
}

impl WatchStream {
    fn poll_chunk(&mut self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        if self.chunks.is_empty() && !self.ended {
            let poll = self.server.poll_watch(self.watch, context.waker());
            self.chunks.extend(poll.chunks);
            self.ended = poll.ended;
        }
        match self.chunks.pop_front() {
            Some(chunk) => Poll::Ready(Some(chunk)),
            None if self.ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

impl Drop for WatchStream {
    fn drop(&mut self) {
        self.server.close_watch(self.watch);
    }
}
