// SPDX-License-Identifier: MIT
//
// Work for the node test: maps, JSON, buffers, compression, worker threads and a
// child process; prints digests that are the same in every run.
'use strict';

const child_process = require('child_process');
const crypto = require('crypto');
const worker = require('worker_threads');
const zlib = require('zlib');

function generator(seed) {
	let state = seed;

	return (limit) => {
		state = (state * 16807) % 2147483647;
		return state % limit;
	};
}

function digest(data) {
	return crypto.createHash('sha256').update(data).digest('hex').slice(0, 16);
}

function maps(seed) {
	const random = generator(seed);
	const map = new Map();

	for (let i = 0; i < 150000; i++) {
		map.set('key' + random(20000), {number: i, text: 'x'.repeat(random(60))});
		if (i % 3 === 0)
			map.delete('key' + random(20000));
	}
	const values = JSON.parse(JSON.stringify([...map.entries()].sort()));
	return values.length + ' ' + digest(JSON.stringify(values));
}

function buffers(seed) {
	const random = generator(seed);
	const kept = [];
	let sum = 0;

	for (let i = 0; i < 20000; i++) {
		kept[random(100)] = Buffer.alloc(random(30000), i % 256);
		const buffer = kept[random(100)];
		if (buffer && buffer.length)
			sum = (sum * 31 + buffer[buffer.length - 1] + buffer.length) % 1000000007;
	}
	return sum;
}

function compression(seed) {
	const random = generator(seed);
	const text = Array.from({length: 40000}, () => 'word' + random(999)).join(' ');
	const packed = zlib.deflateSync(text, {level: 6});

	if (zlib.inflateSync(packed).toString() !== text)
		throw new Error('the text did not survive');
	return digest(text);
}

function work(seed) {
	return [maps(seed), buffers(seed), compression(seed)].join(' / ');
}

function inWorker(seed) {
	return new Promise((resolve, reject) => {
		const w = new worker.Worker(__filename, {workerData: seed});

		w.on('message', resolve);
		w.on('error', reject);
	});
}

async function main() {
	console.log('main', work(1));
	console.log('workers', await Promise.all([2, 3].map(inWorker)));
	const out = child_process.execFileSync(process.execPath, ['-p', '[1, 2, 3].map((x) => x * x)']);
	console.log('child', out.toString().trim());
}

if (worker.isMainThread)
	main();
else
	worker.parentPort.postMessage(work(worker.workerData));
