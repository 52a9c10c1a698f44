"""The playground's server: a page, its assets, and one WebSocket a page that carries messages and frames.

    limits          what one page may ask for
    assets          the page's files, read once, into memory
    guard           who may speak: Host, Origin and cookie of every request
    worker          the thread that a page's session lives in
    connection      a page's socket: messages to the worker, frames from it
    app             what is answered where
    serving         sockets, and the server that runs the app

It knows nothing of what is said, but that a frame of kind "tick" is answered by "seen".
"""
