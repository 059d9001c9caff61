# The textbook UDP server.
use strict;
use warnings;
use IO::Socket::INET;

my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Proto => 'udp') or die "bind: $!\n";
$| = 1;
print "READY ", $server->sockport, "\n";
while (defined $server->recv(my $sentence, 2048)) {
    $server->send(uc $sentence);
}
