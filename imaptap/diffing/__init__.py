"""Two recordings compared: sessions and exchanges find their counterparts, and every pair is read and judged."""
