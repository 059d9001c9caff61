# The textbook UDP client.
use strict;
use warnings;
use IO::Socket::INET;

my $server = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Proto => 'udp') or die "socket: $!\n";
my $sentence = <STDIN>;
$server->send($sentence);
$server->recv(my $modified, 2048);
$modified =~ s/[\r\n\0]+$//;
print "FROM SERVER: $modified\n";
