"""The portal's pages: the way in, the application, one's own things."""
