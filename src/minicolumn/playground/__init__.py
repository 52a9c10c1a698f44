"""The playground: networks built, trained and taken apart live, by the engine and the layers of the library.

    message -> Session -> room -> frames        pure Python and NumPy; nothing here knows of HTTP
    server/                                     carries the messages of a page over a WebSocket
    static/                                     the page

A room is one idea of a first course: `network` is the playground itself, the others are small experiments.
"""
