# A filter for ncat, nc and socat to serve: capitalises whatever comes, at once.
use strict;
use warnings;

$| = 1;
while (sysread STDIN, my $text, 4096) {
    print uc $text;
}
