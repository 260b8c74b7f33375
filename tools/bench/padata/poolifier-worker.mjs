import { ThreadWorker } from 'poolifier';
import task from './peer-tasks.mjs';

export default new ThreadWorker(task);
