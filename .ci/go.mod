// Not Go: this file keeps the folder out of the archive of the module.
module ci
