"""The live platform without IO: frames of wire messages in, twin, services, advisories out."""
