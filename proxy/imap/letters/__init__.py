"""What of the letters that pass is kept on record: found as they pass, left out before anything is queued."""
