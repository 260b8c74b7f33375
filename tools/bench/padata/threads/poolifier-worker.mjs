import { ThreadWorker } from 'poolifier';
import * as tasks from './peer-tasks.mjs';

export default new ThreadWorker({ ...tasks });
