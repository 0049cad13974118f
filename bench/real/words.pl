#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# words.pl SIZE IDLE REPORT: hashes, strings, regular expressions and sorting over the words on
# standard input, for the row real/perl. Prints checksums, frees everything, idles for IDLE seconds
# and writes to REPORT how long that was and the RSS behind it.
use strict;
use warnings;
use Time::HiRes qw(sleep time);

my ($size, $idle, $report) = @ARGV;
die "words.pl: expected SIZE IDLE REPORT\n" unless defined $report;

sub work {
	my ($words, $turns) = @_;
	my ($sum, %seen, @kept) = (0);
	for my $turn (1 .. $turns) {
		my (%by_letter, %count, @records);
		for my $word (@$words) {
			my $key = $word . ($turn % 3);
			$count{$key}++;
			push @{$by_letter{substr $word, 0, 2}}, $key;
			my @parts = split /[aeiou]/, $word;
			push @records, { word => $key, length => length $word, parts => \@parts };
		}
		my $text = join ' ', map { "$_->{word}:" . join '-', @{$_->{parts}} } @records;
		$sum += () = $text =~ /\b(\w+?)([aeiou]+)(\w*)\b/g;
		(my $changed = $text) =~ s/([b-d]+)(\w)/$2\U$1/g;
		my @sorted = sort {
			$a->{length} <=> $b->{length} || $a->{word} cmp $b->{word}
		} @records;
		$sum += length($changed) + $sorted[$turn]{length} + keys %count;
		$seen{$_} = scalar @{$by_letter{$_}} for keys %by_letter;
		push @kept, map { "$turn $_->{word}" } @sorted[0 .. 99];
		$sum += $_ for unpack 'C*', substr $changed, 0, 500;
	}
	return join ' ', $sum, scalar(keys %seen), $kept[-1];
}

{
	chomp(my @words = <STDIN>);
	print work(\@words, int(20 * $size) + 1), "\n";
}
my $begin = time;
sleep $idle;
open my $status, '<', '/proc/self/status' or die "words.pl: /proc/self/status: $!\n";
my ($rss) = map { /^VmRSS:\s*(\d+)/ ? $1 : () } <$status>;
open my $out, '>', $report or die "words.pl: $report: $!\n";
printf $out qq({"idle": %.6f, "rss_kib": %d}\n), time - $begin, $rss;
close $out or die "words.pl: $report: $!\n";
