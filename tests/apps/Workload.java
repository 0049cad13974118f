// SPDX-License-Identifier: MIT
//
// Work for the Java test: maps, direct buffers, compression and threads; prints
// digests that are the same in every run. The heap is the virtual machine's own;
// its compiler, its threads, direct buffers and zlib use malloc.

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

public class Workload {
	private long state;

	Workload(long seed) {
		state = seed;
	}

	private int random(int limit) {
		state = state * 16807 % 2147483647L;
		return (int) (state % limit);
	}

	private int maps() {
		TreeMap<String, String> map = new TreeMap<>();
		for (int i = 0; i < 60000; i++) {
			map.put("key" + random(9000), "x".repeat(random(80)) + i);
			if (i % 3 == 0)
				map.remove("key" + random(9000));
		}
		return map.hashCode();
	}

	private long buffers() {
		ByteBuffer[] kept = new ByteBuffer[50];
		long sum = 0;
		for (int i = 0; i < 2000; i++) {
			ByteBuffer buffer = ByteBuffer.allocateDirect(1 + random(20000));
			buffer.put(buffer.limit() - 1, (byte) i);
			kept[random(50)] = buffer;
			ByteBuffer old = kept[random(50)];
			if (old != null)
				sum = sum * 31 + old.get(old.limit() - 1) + old.limit();
		}
		return sum;
	}

	private int compression() throws DataFormatException {
		byte[] data = new byte[200000];
		int sum = 0;
		for (int round = 0; round < 5; round++) {
			for (int i = 0; i < data.length; i++)
				data[i] = (byte) random(16);
			Deflater deflater = new Deflater();
			byte[] packed = new byte[data.length * 2];
			deflater.setInput(data);
			deflater.finish();
			int length = deflater.deflate(packed);
			deflater.end();
			Inflater inflater = new Inflater();
			byte[] restored = new byte[data.length];
			inflater.setInput(packed, 0, length);
			inflater.inflate(restored);
			inflater.end();
			if (!Arrays.equals(data, restored))
				throw new AssertionError("the data did not survive");
			sum = sum * 31 + Arrays.hashCode(restored);
		}
		return sum;
	}

	private String work() throws DataFormatException {
		return maps() + " " + buffers() + " " + compression();
	}

	public static void main(String[] args) throws Exception {
		ExecutorService pool = Executors.newFixedThreadPool(4);
		List<Future<String>> results = new ArrayList<>();
		for (int i = 1; i <= 8; i++) {
			long seed = i;
			results.add(pool.submit(() -> new Workload(seed).work()));
		}
		for (Future<String> result : results)
			System.out.println(result.get());
		pool.shutdown();
		System.out.println(pool.awaitTermination(60, TimeUnit.SECONDS));
		for (int i = 0; i < 200; i++) {
			Thread thread = new Thread(() -> ByteBuffer.allocateDirect(1000));
			thread.start();
			thread.join();
		}
		System.out.println("threads joined");
	}
}
