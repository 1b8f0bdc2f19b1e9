"""An IMAP server made of a recording: the recorder's listeners, with what was said in the server's place."""
