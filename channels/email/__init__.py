"""Mail as a channel: a listener and IMAP in, SMTP out, and a mailbox in the browser where no relay is configured."""
