"""Statistical methods: arrays in, frozen results out. No frames, no files, no figures."""
